#include <algorithm>

#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/processing.h"

/// add_fields, add_tags, add_labels, drop_fields, include_fields, rename, copy_fields.
namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Document;
using event::Kind;

constexpr std::string_view kAlwaysKept[] = {event::kTimeField, event::kMetadataField, "type"};

bool is_kept(std::string_view name) { return std::ranges::find(kAlwaysKept, name) != std::end(kAlwaysKept); }

class AddFields final : public Step {
 public:
  AddFields(std::string target, const Value& fields)
      : target_(std::move(target)), fields_(event_value(fields, arena_)) {}
  void run(Document& event, FilterRun& /*run*/) override {
    Arena& arena = event.arena();
    const event::Value made = copy_value(fields_, arena);
    if (target_.empty()) return merge_maps(arena, event.root(), made, true);
    event::Value* const there = find_key(event.root(), target_);
    if (there != nullptr && there->is(Kind::map)) {
      merge_maps(arena, *there, made, true);
    } else {
      put_key(arena, event.root(), target_, made);
    }
  }

 private:
  Arena arena_;
  const std::string target_;
  const event::Value fields_;
};

void flatten(const Value& value, const std::string& prefix, Value::Map& into) {
  if (const auto* members = value.map()) {
    for (const auto& [name, member] : *members) flatten(member, prefix.empty() ? name : prefix + "." + name, into);
  } else if (const auto* items = value.list()) {
    for (std::size_t i = 0; i < items->size(); ++i) flatten((*items)[i], fmt::format("{}.{}", prefix, i), into);
  } else {
    into.emplace_back(prefix, value);
  }
}

/// Owns what AddFields points to.
class AddLabels final : public Step {
 public:
  explicit AddLabels(const Value& labels) : flat_(flat_of(labels)), add_("labels", flat_) {}
  void run(Document& event, FilterRun& run) override { add_.run(event, run); }

 private:
  static Value flat_of(const Value& labels) {
    Value::Map members;
    flatten(labels, "", members);
    return {std::move(members)};
  }
  const Value flat_;
  AddFields add_;
};

class AddTags final : public Step {
 public:
  AddTags(Strings tags, std::string target) : tags_(std::move(tags)), target_(std::move(target)) {}
  void run(Document& event, FilterRun& /*run*/) override {
    Arena& arena = event.arena();
    event::Value* there = find_key(event.root(), target_);
    if (there == nullptr || !there->is(Kind::list)) {
      const event::Value list = event::Value::list(arena);
      if (there != nullptr && there->is(Kind::text)) list.append(arena, *there);
      if (!put_key(arena, event.root(), target_, list)) return;
      there = find_key(event.root(), target_);
    }
    for (const auto& tag : tags_) there->append(arena, event::Value::of(std::string_view(tag)));
  }

 private:
  const Strings tags_;
  const std::string target_;
};

class DropFields final : public Step {
 public:
  explicit DropFields(Strings fields) : fields_(std::move(fields)) {}
  void run(Document& event, FilterRun& /*run*/) override {
    for (const auto& field : fields_)
      if (!is_kept(field)) erase_key(event.root(), field);
  }

 private:
  const Strings fields_;
};

class IncludeFields final : public Step {
 public:
  explicit IncludeFields(Strings fields) : fields_(std::move(fields)) {}
  void run(Document& event, FilterRun& /*run*/) override {
    Arena& arena = event.arena();
    const event::Value kept = event::Value::map(arena, 8);
    for (const auto name : kAlwaysKept)
      if (const auto* found = event.find(name)) kept.set(arena, name, *found);
    for (const auto& field : fields_)
      if (const auto* found = find_key(event.root(), field)) put_key(arena, kept, field, *found);
    Document made(arena, kept);
    made.reading = event.reading;
    event = made;
  }

 private:
  const Strings fields_;
};

/// rename and copy_fields.
class Move final : public Step {
 public:
  Move(const StepOptions& options, bool copies)
      : pairs_(options.pairs()),
        copies_(copies),
        ignore_missing_(options.flag("ignore_missing")),
        fail_on_error_(options.flag("fail_on_error")) {}

  void run(Document& event, FilterRun& /*run*/) override {
    if (!fail_on_error_) {
      for (const auto& pair : pairs_) (void)move(event, pair);
      return;
    }
    const Document before = pairs_.size() > 1 ? event.copy() : event;
    for (const auto& pair : pairs_) {
      const std::string why = move(event, pair);
      if (why.empty()) continue;
      if (pairs_.size() > 1) event = before;
      return set_error(event, fmt::format("Failed to {} fields in processor: {}", copies_ ? "copy" : "rename", why));
    }
  }

 private:
  std::string move(Document& event, const StepOptions::Pair& pair) const {
    if (find_key(event.root(), pair.to) != nullptr)
      return fmt::format("target field {} already exists, drop or rename this field first", pair.to);
    const event::Value* const found = find_key(event.root(), pair.from);
    if (found == nullptr)
      return ignore_missing_ ? "" : fmt::format("could not fetch value for key: {}, Error: key not found", pair.from);
    const event::Value value = copies_ ? copy_value(*found, event.arena()) : *found;
    if (pair.to == event::kTimeField && !value.is(Kind::time)) return "@timestamp takes times only";
    if (!copies_) erase_key(event.root(), pair.from);
    if (put_key(event.arena(), event.root(), pair.to, value)) return "";
    if (!copies_) put_key(event.arena(), event.root(), pair.from, value);
    return fmt::format("could not put value: {}: something else stands in the way", pair.to);
  }

  const std::vector<StepOptions::Pair> pairs_;
  const bool copies_, ignore_missing_, fail_on_error_;
};

}  // namespace

Made make_field_step(const Processor& processor, Diagnostics& /*diagnostics*/) {
  const StepOptions options{processor.options};
  const std::string& name = processor.name;
  if (name == "add_fields") {
    const Value* target = processor.options.find("target");
    const std::string where = target == nullptr || target->is_null() ? "fields" : options.text("target");
    return std::make_unique<AddFields>(where, *processor.options.find("fields"));
  }
  if (name == "add_labels") return std::make_unique<AddLabels>(*processor.options.find("labels"));
  if (name == "add_tags") return std::make_unique<AddTags>(options.texts("tags"), options.text("target"));
  if (name == "drop_fields") return std::make_unique<DropFields>(options.texts("fields"));
  if (name == "include_fields") return std::make_unique<IncludeFields>(options.texts("fields"));
  if (name == "rename" || name == "copy_fields") return std::make_unique<Move>(options, name == "copy_fields");
  return nullptr;
}

}  // namespace enclave::pipeline::filebeat
