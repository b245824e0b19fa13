#include "pipeline/filebeat/processors.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "pipeline/filebeat/processors_detail.h"

namespace enclave::pipeline::filebeat {
namespace {

enum class Wants : std::uint8_t { flag, number, text, texts, map, pairs, any, duration };

struct OptionSpec {
  std::string_view name;
  Wants wants;
  std::string_view fallback = {};  ///< as YAML has it; empty: none
  bool required = false;
};

struct ProcessorSpec {
  std::string_view name;
  std::span<const OptionSpec> options;
  /// Of several options one is enough; empty: no such rule.
  std::string_view either = {}, other = {};
};

constexpr OptionSpec kAddFields[] = {{"target", Wants::text, "fields"}, {"fields", Wants::map, "", true}};
constexpr OptionSpec kAddTags[] = {{"tags", Wants::texts, "", true}, {"target", Wants::text, "tags"}};
constexpr OptionSpec kAddLabels[] = {{"labels", Wants::map, "", true}};
constexpr OptionSpec kDropFields[] = {{"fields", Wants::texts, "", true}, {"ignore_missing", Wants::flag, "false"}};
constexpr OptionSpec kIncludeFields[] = {{"fields", Wants::texts, "", true}};
constexpr OptionSpec kPairs[] = {{"fields", Wants::pairs, "", true},
                                 {"ignore_missing", Wants::flag, "false"},
                                 {"fail_on_error", Wants::flag, "true"}};
constexpr OptionSpec kConvert[] = {{"fields", Wants::pairs, "", true},
                                   {"tag", Wants::text},
                                   {"mode", Wants::text, "copy"},
                                   {"ignore_missing", Wants::flag, "false"},
                                   {"fail_on_error", Wants::flag, "true"}};
constexpr OptionSpec kDissect[] = {{"tokenizer", Wants::text, "", true},
                                   {"field", Wants::text, "message"},
                                   {"target_prefix", Wants::text, "dissect"},
                                   {"ignore_failure", Wants::flag, "false"},
                                   {"overwrite_keys", Wants::flag, "false"},
                                   {"trim_values", Wants::text, "none"},
                                   {"trim_chars", Wants::text}};
constexpr OptionSpec kDecodeJson[] = {{"fields", Wants::texts, "", true},       {"process_array", Wants::flag, "false"},
                                      {"max_depth", Wants::number, "1"},        {"target", Wants::any},
                                      {"overwrite_keys", Wants::flag, "false"}, {"expand_keys", Wants::flag, "false"},
                                      {"add_error_key", Wants::flag, "false"},  {"document_id", Wants::text}};
constexpr OptionSpec kHost[] = {{"netinfo.enabled", Wants::flag, "true"},
                                {"cache.ttl", Wants::duration, "5m"},
                                {"replace_fields", Wants::flag, "true"},
                                {"expire_update_timeout", Wants::duration},
                                {"geo", Wants::map}};
constexpr OptionSpec kCloud[] = {{"timeout", Wants::duration, "3s"},
                                 {"providers", Wants::texts},
                                 {"overwrite", Wants::flag, "false"},
                                 {"ssl", Wants::map}};
constexpr OptionSpec kLocale[] = {{"format", Wants::text, "offset"}};
constexpr OptionSpec kTimestamp[] = {{"field", Wants::text, "", true},
                                     {"target_field", Wants::text, "@timestamp"},
                                     {"layouts", Wants::texts, "", true},
                                     {"timezone", Wants::text, "UTC"},
                                     {"ignore_missing", Wants::flag, "false"},
                                     {"ignore_failure", Wants::flag, "false"},
                                     {"test", Wants::texts},
                                     {"id", Wants::text}};
constexpr OptionSpec kSyslog[] = {{"field", Wants::text, "message"},        {"format", Wants::text, "auto"},
                                  {"timezone", Wants::text, "Local"},       {"overwrite_keys", Wants::flag, "true"},
                                  {"ignore_missing", Wants::flag, "false"}, {"ignore_failure", Wants::flag, "false"}};
constexpr OptionSpec kTruncate[] = {{"fields", Wants::texts, "", true},
                                    {"max_bytes", Wants::number},
                                    {"max_characters", Wants::number},
                                    {"fail_on_error", Wants::flag, "true"},
                                    {"ignore_missing", Wants::flag, "false"}};
constexpr OptionSpec kReplace[] = {{"fields", Wants::pairs, "", true},
                                   {"ignore_missing", Wants::flag, "false"},
                                   {"fail_on_error", Wants::flag, "true"}};
constexpr OptionSpec kCase[] = {{"fields", Wants::texts},
                                {"values", Wants::texts},
                                {"ignore_missing", Wants::flag, "false"},
                                {"fail_on_error", Wants::flag, "true"},
                                {"alter_full_field", Wants::flag, "false"}};

constexpr ProcessorSpec kSpecs[] = {{"add_fields", kAddFields},
                                    {"add_tags", kAddTags},
                                    {"add_labels", kAddLabels},
                                    {"drop_fields", kDropFields},
                                    {"drop_event", {}},
                                    {"include_fields", kIncludeFields},
                                    {"rename", kPairs},
                                    {"copy_fields", kPairs},
                                    {"convert", kConvert},
                                    {"dissect", kDissect},
                                    {"decode_json_fields", kDecodeJson},
                                    {"add_host_metadata", kHost},
                                    {"add_cloud_metadata", kCloud},
                                    {"add_locale", kLocale},
                                    {"timestamp", kTimestamp},
                                    {"syslog", kSyslog},
                                    {"truncate_fields", kTruncate, "max_bytes", "max_characters"},
                                    {"replace", kReplace},
                                    {"lowercase", kCase, "fields", "values"},
                                    {"uppercase", kCase, "fields", "values"}};

/// Filebeat has them; we have not.
constexpr std::string_view kNotOffered[] = {"add_docker_metadata",
                                            "add_kubernetes_metadata",
                                            "add_process_metadata",
                                            "add_observer_metadata",
                                            "add_id",
                                            "append",
                                            "community_id",
                                            "decode_base64_field",
                                            "decode_cef",
                                            "decode_csv_fields",
                                            "decode_duration",
                                            "decode_xml",
                                            "decode_xml_wineventlog",
                                            "decompress_gzip_field",
                                            "detect_mime_type",
                                            "dns",
                                            "extract_array",
                                            "fingerprint",
                                            "move_fields",
                                            "parse_aws_vpc_flow_log",
                                            "rate_limit",
                                            "registered_domain",
                                            "script",
                                            "translate_ldap_attribute",
                                            "translate_sid",
                                            "urldecode",
                                            "add_cloudfoundry_metadata",
                                            "cache",
                                            "add_nomad_metadata",
                                            "add_session_metadata"};

const char* mistake_in(Wants wants, const Value& value) {
  const auto is_text = [](const Value& one) { return one.list() == nullptr && one.map() == nullptr && !one.is_null(); };
  switch (wants) {
    case Wants::flag:
      return std::holds_alternative<bool>(value.data) ? nullptr : "true or false";
    case Wants::number:
      return std::holds_alternative<std::int64_t>(value.data) ? nullptr : "a whole number";
    case Wants::text:
      return is_text(value) ? nullptr : "a text";
    case Wants::duration:
      return value.text() != nullptr ? (parse_go_duration(*value.text()) ? nullptr : "a duration such as 5m")
             : std::holds_alternative<std::int64_t>(value.data) ? nullptr
                                                                : "a duration such as 5m";
    case Wants::map:
      return value.map() != nullptr ? nullptr : "a map";
    case Wants::texts:
      if (value.list() == nullptr) return "a list of texts";
      return std::all_of(value.list()->begin(), value.list()->end(), is_text) ? nullptr : "a list of texts";
    case Wants::pairs:
      if (value.list() == nullptr) return "a list of maps, such as - {from: a, to: b}";
      return std::all_of(value.list()->begin(), value.list()->end(), [](const Value& one) { return one.map(); })
                 ? nullptr
                 : "a list of maps, such as - {from: a, to: b}";
    case Wants::any:
      return nullptr;
  }
  return nullptr;
}

class ProcessorReader {
 public:
  explicit ProcessorReader(Reader& reader) : reader_(reader) {}

  std::vector<Processor> list(const Node& node, const std::string& name, int depth) {
    std::vector<Processor> out;
    if (node.kind == Node::Kind::null) return out;
    if (depth > kConditionDepthMax) {
      error(node.place, "processors nest too deep");
    } else if (node.kind == Node::Kind::map) {
      add(node, depth, out);
    } else if (node.kind == Node::Kind::list) {
      for (const auto& item : node.items) add(item, depth, out);
    } else {
      error(node.place, fmt::format("{}: a list is wanted, such as - drop_event: {{when.contains.message: x}}", name));
    }
    return out;
  }

 private:
  void error(const Place& place, std::string text) { reader_.diagnostics().error(place, std::move(text)); }

  void add(const Node& node, int depth, std::vector<Processor>& out) {
    if (node.kind != Node::Kind::map || node.members.empty()) {
      error(node.place, "a processor is wanted: its name, a colon and its options");
      return;
    }
    if (node.find("if") != nullptr) {
      branch(node, depth, out);
      return;
    }
    if (node.members.size() > 1) {
      error(node.members[1].place,
            fmt::format("{} stands in the same list item as {}; give each processor its own \"- \", and indent the "
                        "options of {} deeper than its name",
                        node.members[1].key, node.members[0].key, node.members[0].key));
      return;
    }
    single(node.members[0], depth, out);
  }

  void branch(const Node& node, int depth, std::vector<Processor>& out) {
    Processor made;
    made.name = "if";
    made.place = node.place;
    made.options = {Value::Map{}};
    for (const auto& member : node.members) {
      if (member.key == "if") {
        made.when = read_condition(reader_, member.value);
      } else if (member.key == "then") {
        made.then_do = list(member.value, "then", depth + 1);
      } else if (member.key == "else") {
        made.else_do = list(member.value, "else", depth + 1);
      } else {
        error(member.place, fmt::format("{} cannot stand beside if; then and else can", member.key));
      }
    }
    if (node.find("then") == nullptr) error(node.place, "this if has no then");
    out.push_back(std::move(made));
  }

  void single(const Node::Member& member, int depth, std::vector<Processor>& out) {
    const auto* spec =
        std::find_if(std::begin(kSpecs), std::end(kSpecs), [&](const auto& one) { return one.name == member.key; });
    if (spec == std::end(kSpecs)) {
      refuse(member);
      return;
    }
    Processor made;
    made.name = member.key;
    made.place = member.place;
    Value::Map options;
    if (member.value.kind != Node::Kind::map && member.value.kind != Node::Kind::null) {
      error(member.value.place, fmt::format("{}: a map of options is wanted", member.key));
      return;
    }
    const Node& node = member.value;
    for (const auto& option : spec->options) read_option(node, *spec, option, member, options);
    if (const Node* when = node.find("when")) made.when = read_condition(reader_, *when);
    // Below if, then and else the condition stands outside.
    if (depth == 0 && made.name == "drop_event" && !made.when && node.find("when") == nullptr)
      reader_.diagnostics().warning(member.place, "drop_event without when drops every event");
    if (!spec->either.empty() && node.find(spec->either) == nullptr && node.find(spec->other) == nullptr)
      error(member.place, fmt::format("{} needs {} or {}", member.key, spec->either, spec->other));
    report_unknown(node, *spec);
    made.options = {std::move(options)};
    out.push_back(std::move(made));
  }

  void read_option(const Node& node, const ProcessorSpec& spec, const OptionSpec& option, const Node::Member& member,
                   Value::Map& into) {
    const Node* found = find_path(node, option.name);
    if (found == nullptr || found->kind == Node::Kind::null) {
      if (option.required) error(member.place, fmt::format("{} needs {}", spec.name, option.name));
      if (!option.fallback.empty()) into.emplace_back(option.name, fallback_of(option));
      return;
    }
    if (option.wants == Wants::texts && found->kind == Node::Kind::scalar) {
      Strings texts;
      reader_.strings(*found, std::string(option.name), texts);
      Value::List items;
      for (auto& text : texts) items.push_back({std::move(text)});
      into.emplace_back(option.name, Value{std::move(items)});
      return;
    }
    Value value = reader_.value(*found);
    if (const char* wanted = mistake_in(option.wants, value)) {
      error(found->place, fmt::format("{}: {}: {} is wanted", spec.name, option.name, wanted));
      return;
    }
    if (option.wants == Wants::pairs) check_pairs(*found, spec);
    into.emplace_back(option.name, std::move(value));
  }

  static Value fallback_of(const OptionSpec& option) {
    return option.wants == Wants::text || option.wants == Wants::duration ? Value{std::string(option.fallback)}
                                                                          : value_of_plain(option.fallback);
  }

  void check_pairs(const Node& list, const ProcessorSpec& spec) {
    for (const auto& item : list.items) {
      const bool replaces = spec.name == "replace";
      const bool whole = replaces
                             ? item.find("field") != nullptr && item.find("pattern") != nullptr
                             : item.find("from") != nullptr && (item.find("to") != nullptr || spec.name == "convert");
      if (!whole)
        error(item.place, fmt::format("{}: each of fields needs {}", spec.name,
                                      replaces                 ? "field, pattern and replacement"
                                      : spec.name == "convert" ? "from"
                                                               : "from and to"));
      if (spec.name == "convert") check_type(item);
    }
  }

  void check_type(const Node& item) {
    constexpr std::string_view kTypes[] = {"integer", "long", "float", "double", "string", "boolean", "ip"};
    const Node* type = item.find("type");
    if (type == nullptr) return;
    if (std::find(std::begin(kTypes), std::end(kTypes), type->scalar) == std::end(kTypes))
      error(type->place,
            fmt::format("convert: \"{}\" is no type; one of {} is wanted", type->scalar, fmt::join(kTypes, ", ")));
  }

  void report_unknown(const Node& node, const ProcessorSpec& spec) {
    std::vector<std::string_view> names = {"when", "tag"};
    for (const auto& option : spec.options) names.push_back(option.name);
    for (const auto& member : node.members) {
      const bool known = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return name == member.key || name.starts_with(member.key + ".");
      });
      if (known) continue;
      const std::string near = nearest(member.key, names);
      reader_.diagnostics().warning(member.place,
                                    fmt::format("{} is no option of {}, and has no effect{}", member.key, spec.name,
                                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
  }

  void refuse(const Node::Member& member) {
    if (std::find(std::begin(kNotOffered), std::end(kNotOffered), member.key) != std::end(kNotOffered)) {
      error(member.place, fmt::format("the processor {} is not offered here", member.key));
      return;
    }
    std::vector<std::string_view> names;
    for (const auto& spec : kSpecs) names.push_back(spec.name);
    const std::string near = nearest(member.key, names);
    error(member.place,
          fmt::format("{} is no processor{}", member.key, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }

  Reader& reader_;
};

std::string list_json(const std::vector<Processor>& processors) {
  std::string out;
  for (const auto& one : processors) out += (out.empty() ? "" : ", ") + to_json(one);
  return "[" + out + "]";
}

}  // namespace

std::vector<Processor> read_processors(Reader& reader, const Node& node, const std::string& name) {
  return ProcessorReader(reader).list(node, name, 0);
}

std::string to_json(const Processor& processor) {
  if (processor.name == "if")
    return fmt::format("{{\"if\": {}, \"then\": {}, \"else\": {}}}", processor.when ? to_json(*processor.when) : "null",
                       list_json(processor.then_do), list_json(processor.else_do));
  return fmt::format("{{{}: {}{}}}", json_text(processor.name), to_json(processor.options),
                     processor.when ? ", \"when\": " + to_json(*processor.when) : "");
}

}  // namespace enclave::pipeline::filebeat
