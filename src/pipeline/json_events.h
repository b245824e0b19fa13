#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/codec.h"
#include "pipeline/logstash/field_reference.h"

namespace enclave::pipeline {

/// What the codecs of JSON share: one text, an object or a list of them, becomes events. What is none becomes an event
/// with the text as its message and the tag "_jsonparsefailure". Blank texts are no events. "@timestamp" becomes the
/// time; one that is none goes to "_@timestamp" with a tag.
class JsonEvents {
 public:
  /// With `target` the object stands there.
  explicit JsonEvents(std::optional<logstash::FieldReference> target) : target_(std::move(target)) {}
  void decode(std::string_view text, event::Arena& arena, FilterRun& run, std::vector<event::Document>& into) const;

 private:
  void add(const event::Value& object, event::Arena& arena, FilterRun& run, std::vector<event::Document>& into) const;
  std::optional<logstash::FieldReference> target_;
};

}  // namespace enclave::pipeline
