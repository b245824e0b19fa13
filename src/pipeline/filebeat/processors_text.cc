#include <algorithm>
#include <charconv>
#include <optional>

#include "pipeline/dissection.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/regex.h"

/// dissect, decode_json_fields, truncate_fields, replace, lowercase, uppercase.
namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Document;
using event::Kind;

event::Value converted(std::string_view text, const std::string& type) {
  if (type == "string" || type.empty()) return event::Value::of(text);
  double real = 0;
  std::int64_t whole = 0;
  const char *begin = text.data(), *end = begin + text.size();
  if (type == "boolean") return event::Value::of(text == "true" || text == "1");
  if (type == "float" || type == "double")
    return std::from_chars(begin, end, real).ptr == end ? event::Value::of(real) : event::Value::of(text);
  if (type == "integer" || type == "long")
    return std::from_chars(begin, end, whole).ptr == end ? event::Value::of(whole) : event::Value::of(text);
  return event::Value::of(text);
}

class Dissect final : public Step {
 public:
  Dissect(const StepOptions& options, Dissection dissection, std::vector<std::pair<std::string, std::string>> types)
      : dissection_(std::move(dissection)),
        types_(std::move(types)),
        field_(options.text("field")),
        prefix_(options.text("target_prefix")),
        trim_(options.text("trim_values")),
        trim_chars_(options.text("trim_chars")),
        overwrite_(options.flag("overwrite_keys")),
        ignore_failure_(options.flag("ignore_failure")) {
    if (trim_chars_.empty()) trim_chars_ = " ";
  }

  void run(Document& event, FilterRun& /*run*/) override {
    const event::Value* const found = find_key(event.root(), field_);
    if (found == nullptr || !found->is(Kind::text)) return failed(event, "could not fetch value for key: " + field_);
    Document parts(event.arena());
    if (!dissection_.apply(found->text(), parts)) return failed(event, "the text does not fit the tokenizer");
    if (!overwrite_)
      for (const auto& part : parts.root().members())
        if (find_key(event.root(), key_of(event, part.name)) != nullptr)
          return failed(event, fmt::format("cannot override existing key with `{}`", key_of(event, part.name)));
    for (const auto& part : parts.root().members()) {
      std::string type;
      for (const auto& [name, wanted] : types_)
        if (name == part.name) type = wanted;
      put_key(event.arena(), event.root(), key_of(event, part.name), converted(trimmed(part.value.text()), type));
    }
  }

 private:
  std::string_view key_of(Document& event, std::string_view name) const {
    if (prefix_.empty()) return name;
    return event.arena().store(fmt::format("{}.{}", prefix_, name));
  }
  std::string_view trimmed(std::string_view text) const {
    if (trim_ == "left" || trim_ == "all")
      text.remove_prefix(std::min(text.find_first_not_of(trim_chars_), text.size()));
    if (trim_ == "right" || trim_ == "all") text = text.substr(0, text.find_last_not_of(trim_chars_) + 1);
    return text;
  }
  void failed(Document& event, const std::string& why) const {
    add_flag(event, "dissect_parsing_error");
    if (!ignore_failure_) set_error(event, why);
  }

  Dissection dissection_;
  const std::vector<std::pair<std::string, std::string>> types_;
  const std::string field_, prefix_, trim_;
  std::string trim_chars_;
  const bool overwrite_, ignore_failure_;
};

/// Beats' own forms into those that Dissection reads: "%{*a}" names "%{&a}", and "%{a|integer}" has a type.
Made make_dissect(const Processor& processor, Diagnostics& diagnostics) {
  const StepOptions options{processor.options};
  std::string tokenizer = options.text("tokenizer"), out;
  std::vector<std::pair<std::string, std::string>> types;
  for (std::size_t at = 0; at < tokenizer.size();) {
    const std::size_t open = tokenizer.find("%{", at);
    const std::size_t close = open == std::string::npos ? open : tokenizer.find('}', open);
    if (close == std::string::npos) {
      out += tokenizer.substr(at);
      break;
    }
    std::string key = tokenizer.substr(open + 2, close - open - 2);
    if (key.starts_with('*')) key[0] = '?';
    if (const std::size_t bar = key.find('|'); bar != std::string::npos) {
      types.emplace_back(key.substr(0, bar), key.substr(bar + 1));
      key.resize(bar);
    }
    out += tokenizer.substr(at, open - at) + "%{" + key + "}";
    at = close + 1;
  }
  auto dissection = Dissection::compile(out);
  if (!dissection) {
    diagnostics.error(processor.place, fmt::format("dissect: tokenizer: {}", dissection.error().text()));
    return nullptr;
  }
  return std::make_unique<Dissect>(options, std::move(*dissection), std::move(types));
}

class DecodeJson final : public Step {
 public:
  explicit DecodeJson(const StepOptions& options)
      : fields_(options.texts("fields")),
        id_(options.text("document_id")),
        depth_(options.number("max_depth", 1)),
        arrays_(options.flag("process_array")),
        overwrite_(options.flag("overwrite_keys")),
        expand_(options.flag("expand_keys")),
        add_error_(options.flag("add_error_key")) {
    const Value* target = options.value.find("target");
    if (target != nullptr && !target->is_null()) target_ = options.text("target");
  }

  void run(Document& event, FilterRun& run) override {
    for (const auto& field : fields_) decode(event, field, run);
  }

 private:
  void decode(Document& event, const std::string& field, FilterRun& run) {
    Arena& arena = event.arena();
    const event::Value* const found = find_key(event.root(), field);
    if (found == nullptr || !found->is(Kind::text)) return;
    const std::string_view text = found->text();
    const auto read = run.json.read(text, arena);
    if (!read) return failed(event, field, read.error().text());
    event::Value value = *read;
    if (!value.is(Kind::map) && !(arrays_ && value.is(Kind::list))) return;
    if (depth_ > 1) deepen(value, depth_ - 1, arena, run);
    if (expand_ && value.is(Kind::map)) value = expanded_keys(arena, value);
    if (!id_.empty() && value.is(Kind::map)) take_id(event, value);
    if (!target_) {
      put_key(arena, event.root(), field, value);
    } else if (!target_->empty()) {
      put_key(arena, event.root(), *target_, value);
    } else if (value.is(Kind::map)) {
      write_json_keys(event, value, overwrite_, add_error_);
    }
  }

  void failed(Document& event, const std::string& field, std::string_view why) const {
    if (!add_error_) return;
    Arena& arena = event.arena();
    const event::Value error = json_error(arena, fmt::format("parsing input as JSON: {}", why));
    error.set(arena, "field", event::Value::of(std::string_view(field)));
    event.set("error", error);
  }

  void take_id(Document& event, const event::Value& value) const {
    const event::Value* const id = find_key(value, id_);
    if (id == nullptr || !id->is(Kind::text)) return;
    put_key(event.arena(), event.root(), "@metadata._id", *id);
    erase_key(value, id_);
  }

  void deepen(event::Value& value, std::int64_t depth, Arena& arena, FilterRun& run) const {
    if (depth <= 0) return;
    if (value.is(Kind::map)) {
      for (auto& member : value.members()) deepen(member.value, depth, arena, run);
    } else if (value.is(Kind::list)) {
      for (auto& item : value.items()) deepen(item, depth, arena, run);
    } else if (value.is(Kind::text) && (value.text().starts_with('{') || (arrays_ && value.text().starts_with('[')))) {
      const auto read = run.json.read(value.text(), arena);
      if (!read) return;
      value = *read;
      deepen(value, depth - 1, arena, run);
    }
  }

  const Strings fields_;
  const std::string id_;
  std::optional<std::string> target_;
  const std::int64_t depth_;
  const bool arrays_, overwrite_, expand_, add_error_;
};

class Truncate final : public Step {
 public:
  explicit Truncate(const StepOptions& options)
      : fields_(options.texts("fields")),
        bytes_(options.number("max_bytes", 0)),
        characters_(options.number("max_characters", 0)),
        ignore_missing_(options.flag("ignore_missing")),
        fail_on_error_(options.flag("fail_on_error")) {}

  void run(Document& event, FilterRun& /*run*/) override {
    for (const auto& field : fields_) {
      event::Value* const found = find_key(event.root(), field);
      if (found == nullptr || !found->is(Kind::text)) {
        if (!ignore_missing_ && fail_on_error_)
          return set_error(event, fmt::format("Failed to truncate fields in processor: could not fetch value for key: "
                                              "{}, Error: key not found",
                                              field));
        continue;
      }
      const std::string_view text = found->text();
      const std::size_t keep = bytes_ > 0 ? whole_characters(text, static_cast<std::size_t>(bytes_)) : first(text);
      if (keep >= text.size()) continue;
      *found = event::Value::of(text.substr(0, keep));
      add_flag(event, "truncated");
    }
  }

 private:
  static bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
  static std::size_t whole_characters(std::string_view text, std::size_t bytes) {
    if (bytes >= text.size()) return text.size();
    while (bytes > 0 && continues(text[bytes])) --bytes;
    return bytes;
  }
  std::size_t first(std::string_view text) const {
    std::int64_t left = characters_;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (!continues(text[i]) && left-- == 0) return i;
    return text.size();
  }
  const Strings fields_;
  const std::int64_t bytes_, characters_;
  const bool ignore_missing_, fail_on_error_;
};

class Replace final : public Step {
 public:
  struct One {
    std::string field;
    Regex pattern;
    std::string replacement;
  };
  Replace(const StepOptions& options, std::vector<One> all)
      : all_(std::move(all)),
        ignore_missing_(options.flag("ignore_missing")),
        fail_on_error_(options.flag("fail_on_error")) {}

  void run(Document& event, FilterRun& run) override {
    for (const auto& one : all_) {
      event::Value* const found = find_key(event.root(), one.field);
      if (found == nullptr || !found->is(Kind::text)) {
        if (ignore_missing_ || !fail_on_error_) continue;
        return set_error(event, fmt::format("Failed to replace fields in processor: could not fetch value for key: {}, "
                                            "Error: key not found",
                                            one.field));
      }
      run.scratch.clear();
      if (one.pattern.replace(found->text(), one.replacement, run.scratch))
        *found = event::Value::of(event.arena().store(run.scratch));
    }
  }

 private:
  const std::vector<One> all_;
  const bool ignore_missing_, fail_on_error_;
};

/// Go writes $1 and ${1} for what Regex calls \1.
std::string replacement_of(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (text[i] == '\\') {
      out += "\\\\";
    } else if (text[i] == '$' && digit(i + 1)) {
      out += {'\\', text[++i]};
    } else if (text[i] == '$' && i + 3 < text.size() && text[i + 1] == '{' && digit(i + 2) && text[i + 3] == '}') {
      out += {'\\', text[i + 2]};
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

Made make_replace(const Processor& processor, Diagnostics& diagnostics) {
  std::vector<Replace::One> all;
  for (const auto& one : *processor.options.find("fields")->list()) {
    const StepOptions pair{one};
    auto pattern = Regex::compile(pair.text("pattern"));
    if (!pattern) {
      diagnostics.error(processor.place, fmt::format("replace: {}", pattern.error().text()));
      return nullptr;
    }
    all.push_back({pair.text("field"), std::move(*pattern), replacement_of(pair.text("replacement"))});
  }
  return std::make_unique<Replace>(StepOptions{processor.options}, std::move(all));
}

/// lowercase and uppercase: names of fields, and values.
class ChangeCase final : public Step {
 public:
  ChangeCase(const StepOptions& options, bool upper)
      : fields_(options.texts("fields")),
        values_(options.texts("values")),
        whole_(options.flag("alter_full_field")),
        ignore_missing_(options.flag("ignore_missing")),
        fail_on_error_(options.flag("fail_on_error")),
        upper_(upper) {}

  void run(Document& event, FilterRun& /*run*/) override {
    Arena& arena = event.arena();
    for (const auto& field : fields_) {
      event::Value* const found = find_key(event.root(), field);
      if (found == nullptr) {
        if (missing(event, field)) return;
        continue;
      }
      const event::Value value = *found;
      const std::size_t dot = whole_ ? std::string::npos : field.rfind('.');
      const std::size_t keep = dot == std::string::npos ? 0 : dot + 1;
      erase_key(event.root(), field);
      put_key(arena, event.root(), arena.store(field.substr(0, keep) + changed(field.substr(keep))), value);
    }
    for (const auto& field : values_) {
      event::Value* const found = find_key(event.root(), field);
      if (found != nullptr && found->is(Kind::text)) {
        *found = event::Value::of(arena.store(changed(found->text())));
      } else if (missing(event, field)) {
        return;
      }
    }
  }

 private:
  bool missing(Document& event, const std::string& field) const {
    if (ignore_missing_ || !fail_on_error_) return false;
    set_error(event, fmt::format("could not fetch value for key: {}, Error: key not found", field));
    return true;
  }
  std::string changed(std::string_view text) const {
    std::string out(text);
    for (char& c : out) {
      if (upper_ && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      if (!upper_ && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
  }
  const Strings fields_, values_;
  const bool whole_, ignore_missing_, fail_on_error_, upper_;
};

}  // namespace

Made make_text_step(const Processor& processor, Diagnostics& diagnostics) {
  const StepOptions options{processor.options};
  const std::string& name = processor.name;
  if (name == "dissect") return make_dissect(processor, diagnostics);
  if (name == "decode_json_fields") return std::make_unique<DecodeJson>(options);
  if (name == "truncate_fields") return std::make_unique<Truncate>(options);
  if (name == "replace") return make_replace(processor, diagnostics);
  if (name == "lowercase" || name == "uppercase") return std::make_unique<ChangeCase>(options, name == "uppercase");
  return nullptr;
}

}  // namespace enclave::pipeline::filebeat
