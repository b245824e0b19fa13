#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "pipeline/logstash/field_reference.h"
#include "pipeline/source.h"

/// What the files of sources/ share.
namespace enclave::pipeline {

/// Reads `ecs_compatibility`: whether fields have the names of the Elastic Common Schema (v1, v8).
bool reads_ecs(logstash::PluginOptions& options, const FilterWorld& world);

/// The name of the codec that the options ask for.
std::string codec_name(logstash::PluginOptions& options, std::string_view otherwise);

/// What ends a line of a stream: `delimiter` of the codecs line and json_lines, else a line feed.
std::string line_delimiter(logstash::PluginOptions& options);

/// Known options that change nothing here, and need not be spoken of.
void accept_silently(logstash::PluginOptions& options, std::initializer_list<std::string_view> names);

/// The name of this machine; "localhost" when it has none.
std::string host_name(Files& files);

/// A field that a source knows. Immutable.
class KnownField {
 public:
  /// `reference` is one of ours: it must be well formed. "" is no field: nothing is set.
  explicit KnownField(std::string_view reference);
  /// Unless the event has something there. The value is not copied.
  void fill(event::Document& into, event::Value value) const;
  void put(event::Document& into, event::Value value) const;
  const event::Value* find(const event::Document& in) const;

 private:
  std::vector<event::PathSegment> path_;
};

/// [event][original], which inputs set with the names of ECS: the payload before anything was made of it.
class Original {
 public:
  explicit Original(bool ecs) : field_(ecs ? "[event][original]" : "") {}
  void fill(const event::Event& from, event::Document& into) const { field_.fill(into, event::Value::of(from.raw)); }

 private:
  KnownField field_;
};

/// A name for a source that cannot be read again, such as stdin@1f3a9c02.
std::string name_once(std::string_view kind, Random& random);

}  // namespace enclave::pipeline
