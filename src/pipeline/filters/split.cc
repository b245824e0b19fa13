#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// One event for each item of a list, or for each part of a text.
class Split final : public Filter {
 public:
  Split(logstash::FieldReference field, std::optional<logstash::FieldReference> target, std::string terminator)
      : field_(std::move(field)), target_(std::move(target)), terminator_(std::move(terminator)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const Value* const value = event.find(event::Path(field_.segments()));
    std::vector<Value> parts;
    if (value != nullptr && value->is(Kind::list)) {
      parts.assign(value->items().begin(), value->items().end());
    } else if (value != nullptr && value->is(Kind::text)) {
      cut(value->text(), parts);
      // A text that is whole as it is stays this event, and nothing was done to it.
      if (parts.size() == 1) return false;
    } else {
      event.tag("_split_type_failure");
      return false;
    }
    for (const Value& part : parts) {
      if (part.is(Kind::null) || (part.is(Kind::text) && part.text().empty())) continue;
      event::Document copy = event.copy();
      copy.set(event::Path((target_ ? *target_ : field_).segments()), event::copy_value(part, event.arena()));
      run.made.push_back(copy);
    }
    event.cancelled = true;
    return true;
  }

 private:
  void cut(std::string_view text, std::vector<Value>& parts) const {
    for (std::size_t at = text.find(terminator_); at != std::string_view::npos; at = text.find(terminator_)) {
      parts.push_back(Value::of(text.substr(0, at)));
      text.remove_prefix(at + terminator_.size());
    }
    parts.push_back(Value::of(text));
  }
  logstash::FieldReference field_;
  std::optional<logstash::FieldReference> target_;
  std::string terminator_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  auto field = options.field("field", "message");
  auto target = options.field_if_set("target");
  auto terminator = options.text("terminator", "\n");
  if (terminator.empty()) options.mistake("terminator", "must not be empty");
  return std::make_unique<Split>(std::move(field), std::move(target), std::move(terminator));
}

}  // namespace

extern const FilterPlugin filter_split;
const FilterPlugin filter_split = {"split", "Makes one event of each item of a list or line of a text.", make};

}  // namespace enclave::pipeline
