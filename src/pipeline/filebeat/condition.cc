#include <algorithm>

#include "pipeline/filebeat/processors.h"
#include "pipeline/filebeat/processors_detail.h"

namespace enclave::pipeline::filebeat {
namespace {

using Kind = Condition::Kind;

// In the order in which Filebeat looks for them: where several stand side by side, the first is all that it takes.
constexpr std::pair<std::string_view, Kind> kKinds[] = {{"equals", Kind::equals},
                                                        {"contains", Kind::contains},
                                                        {"regexp", Kind::regexp},
                                                        {"range", Kind::range},
                                                        {"has_fields", Kind::has_fields},
                                                        {"network", Kind::network},
                                                        {"or", Kind::any_of},
                                                        {"and", Kind::all_of},
                                                        {"not", Kind::none_of}};
constexpr std::string_view kOps[] = {"gte", "gt", "lte", "lt"};
constexpr std::string_view kNetworks[] = {"loopback",
                                          "unicast",
                                          "global_unicast",
                                          "link_local_unicast",
                                          "interface_local_multicast",
                                          "link_local_multicast",
                                          "multicast",
                                          "unspecified",
                                          "private",
                                          "public"};

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return std::find(std::begin(kNetworks), std::end(kNetworks), text) != std::end(kNetworks);
  const std::string_view bits = text.substr(slash + 1);
  const std::string_view address = text.substr(0, slash);
  return !bits.empty() && bits.size() <= 3 && bits.find_first_not_of("0123456789") == std::string_view::npos &&
         !address.empty() && address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

class ConditionReader {
 public:
  explicit ConditionReader(Reader& reader) : reader_(reader) {}

  std::optional<Condition> read(const Node& node, int depth) {
    if (node.kind != Node::Kind::map || depth > kConditionDepthMax) {
      error(node.place, depth > kConditionDepthMax ? "conditions nest too deep"
                                                   : "a condition is wanted, such as equals: {field: value}");
      return std::nullopt;
    }
    std::optional<Condition> out;
    for (const auto& [name, kind] : kKinds) {
      const auto found = std::find_if(node.members.begin(), node.members.end(),
                                      [name = name](const auto& one) { return one.key == name; });
      if (found == node.members.end()) continue;
      if (out) {
        reader_.diagnostics().warning(
            found->place, fmt::format("{} has no effect beside {}: of several conditions the first counts; join them "
                                      "with and or or",
                                      name, name_of(out->kind)));
        continue;
      }
      out = one(*found, kind, depth);
    }
    for (const auto& member : node.members) unknown(member);
    return out;
  }

 private:
  void error(const Place& place, std::string text) { reader_.diagnostics().error(place, std::move(text)); }

  void unknown(const Node::Member& member) {
    std::vector<std::string_view> names;
    for (const auto& [name, kind] : kKinds) names.push_back(name);
    if (std::find(names.begin(), names.end(), member.key) != names.end()) return;
    const std::string near = nearest(member.key, names);
    error(member.place, fmt::format("{} is no condition; {}", member.key,
                                    near.empty() ? "there are equals, contains, regexp, range, has_fields, network, "
                                                   "or, and, not"
                                                 : fmt::format("did you mean {}?", near)));
  }

  Condition one(const Node::Member& member, Kind kind, int depth) {
    Condition out;
    out.kind = kind;
    out.place = member.place;
    switch (kind) {
      case Kind::any_of:
      case Kind::all_of:
        if (member.value.kind != Node::Kind::list) error(member.place, member.key + ": a list of conditions is wanted");
        for (const auto& item : member.value.items) add_child(out, item, depth);
        break;
      case Kind::none_of:
        add_child(out, member.value, depth);
        break;
      case Kind::has_fields: {
        Strings fields;
        reader_.strings(member.value, member.key, fields);
        for (auto& field : fields) out.tests.push_back({std::move(field), "", {}, member.value.place});
        break;
      }
      default:
        if (member.value.kind != Node::Kind::map)
          error(member.place,
                fmt::format("{}: a field and a value are wanted: {}: {{message: text}}", member.key, member.key));
        for (const auto& field : member.value.members) add_test(out, field.key, field);
    }
    return out;
  }

  void add_child(Condition& out, const Node& node, int depth) {
    if (auto child = read(node, depth + 1)) out.children.push_back(std::move(*child));
  }

  void add_test(Condition& out, const std::string& path, const Node::Member& member) {
    const bool is_op = std::find(std::begin(kOps), std::end(kOps), member.key) != std::end(kOps);
    if (member.value.kind == Node::Kind::map) {
      for (const auto& inner : member.value.members) add_test(out, path + "." + inner.key, inner);
      return;
    }
    FieldTest test{path, "", reader_.value(member.value), member.place};
    if (out.kind == Kind::range) {
      if (!is_op || path == member.key) {
        error(member.place, fmt::format("range: {}: one of gte, gt, lte, lt is wanted: {}.gte: 400", path, path));
        return;
      }
      test.op = member.key;
      test.field = path.substr(0, path.size() - member.key.size() - 1);
    }
    if (const char* wanted = mistake_in(out.kind, test.value)) {
      error(member.value.place, fmt::format("{}: {}: {} is wanted", name_of(out.kind), test.field, wanted));
      return;
    }
    out.tests.push_back(std::move(test));
  }

  /// What is wanted instead; nullptr when the value can be.
  static const char* mistake_in(Kind kind, const Value& value) {
    const bool number = std::holds_alternative<std::int64_t>(value.data) || std::holds_alternative<double>(value.data);
    const bool whole = std::holds_alternative<std::int64_t>(value.data);
    if (kind == Kind::range) return number ? nullptr : "a number";
    if (kind == Kind::equals)
      return whole || value.text() != nullptr || std::holds_alternative<bool>(value.data)
                 ? nullptr
                 : "a whole number, a text, true or false";
    if (kind == Kind::network) {
      const auto fits = [](const Value& one) { return one.text() != nullptr && is_network(*one.text()); };
      const bool good =
          value.list() != nullptr ? std::all_of(value.list()->begin(), value.list()->end(), fits) : fits(value);
      return good ? nullptr : "a network such as 10.0.0.0/8 or private, or a list of them";
    }
    return value.list() == nullptr && !value.is_null() ? nullptr : "a text";
  }

  Reader& reader_;
};

}  // namespace

std::string_view name_of(Condition::Kind kind) {
  for (const auto& [name, one] : kKinds)
    if (one == kind) return name;
  return "";
}

std::optional<Condition> read_condition(Reader& reader, const Node& node) {
  return ConditionReader(reader).read(node, 0);
}

std::string to_json(const Condition& condition) {
  std::string out;
  const auto add = [&out](const std::string& one) { out += (out.empty() ? "" : ", ") + one; };
  for (const auto& child : condition.children) add(to_json(child));
  for (const auto& test : condition.tests) {
    if (condition.kind == Condition::Kind::has_fields) {
      add(json_text(test.field));
    } else {
      add(fmt::format("{{{}: {}}}", json_text(test.field + (test.op.empty() ? "" : " " + test.op)),
                      to_json(test.value)));
    }
  }
  return fmt::format("{{{}: [{}]}}", json_text(name_of(condition.kind)), out);
}

}  // namespace enclave::pipeline::filebeat
