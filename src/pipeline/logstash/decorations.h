#pragma once

#include <utility>
#include <vector>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline::logstash {

/// Appends the text that a reference has for this event. A missing field leaves the reference as it was written.
void append_reference(const TextReference& reference, const event::Document& event, std::int64_t now_ns,
                      std::string& out);

/// A field whose name may itself hold references.
class FieldName {
 public:
  FieldName(PluginOptions& options, std::string_view option, const std::string& text);
  /// The path for this event; a name that is none names one field as it stands. Valid until the next call.
  event::Path path(const event::Document& event, std::int64_t now_ns);

 private:
  TextReference text_;
  FieldReference field_;
  std::string scratch_;
};

/// add_field, remove_field, add_tag, remove_tag: what each filter does once it has succeeded, in this order.
class Decorations {
 public:
  explicit Decorations(PluginOptions& options);
  void apply(event::Document& event, FilterRun& run);
  bool empty() const {
    return add_fields_.empty() && remove_fields_.empty() && add_tags_.empty() && remove_tags_.empty();
  }

 private:
  std::vector<std::pair<FieldName, std::vector<TextReference>>> add_fields_;
  std::vector<FieldName> remove_fields_;
  std::vector<TextReference> add_tags_, remove_tags_;
};

/// Adds a value as the original does: a field that is there becomes a list of what it was and what is new.
void add_value(event::Document& event, event::Path path, event::Value value);

}  // namespace enclave::pipeline::logstash
