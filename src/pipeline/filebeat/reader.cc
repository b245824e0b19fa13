#include "pipeline/filebeat/reader.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace enclave::pipeline::filebeat {
namespace {

std::string_view kind_of(const Node& node) {
  if (node.kind == Node::Kind::list) return "a list";
  return node.kind == Node::Kind::map ? "a map" : "a single value";
}

bool is_below(const Slots& slots, const Handlers& handlers, const std::string& name) {
  const std::string prefix = name + ".";
  return std::any_of(slots.begin(), slots.end(), [&](const auto& one) { return one.name.starts_with(prefix); }) ||
         std::any_of(handlers.begin(), handlers.end(), [&](const auto& one) { return one.name.starts_with(prefix); });
}

std::vector<std::string_view> names_of(const Slots& slots, const Handlers& handlers) {
  std::vector<std::string_view> out;
  for (const auto& slot : slots) out.push_back(slot.name);
  for (const auto& handler : handlers) out.push_back(handler.name);
  return out;
}

}  // namespace

void append(Slots& slots, std::string_view prefix, Slots more) {
  for (auto& slot : more) {
    slot.name = fmt::format("{}{}", prefix, slot.name);
    slots.push_back(std::move(slot));
  }
}

Reader::Reader(std::string_view text, Lookup lookup, int generation, Diagnostics& diagnostics)
    : lookup_(std::move(lookup)), generation_(generation), diagnostics_(diagnostics) {
  use_text(text);
}

void Reader::use_text(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text_ = text;
  lines_ = {0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') lines_.push_back(i + 1);
}

// Our nodes do not tell "1" from 1; the source does.
bool Reader::is_quoted(const Place& place) const {
  if (place.line < 1 || static_cast<std::size_t>(place.line) > lines_.size()) return false;
  const std::size_t at = lines_[static_cast<std::size_t>(place.line) - 1] + static_cast<std::size_t>(place.column) - 1;
  return at < text_.size() && std::string_view("\"'|>").find(text_[at]) != std::string_view::npos;
}

void Reader::note(const std::string& name, const Place& place, const Rule& rule) {
  if (rule.first == kOldest && rule.last == kNewest) return;
  evidence_.push_back({name, place, rule});
  if (generation_ >= rule.first && generation_ <= rule.last) return;
  const std::string whose =
      rule.first == kOldest ? fmt::format("up to {}", rule.last) : fmt::format("from {} on", rule.first);
  diagnostics_.warning(
      place, fmt::format("{} is of Filebeat {}, and this file is read as one of {}; it is obeyed all the same{}", name,
                         whose, generation_,
                         rule.instead.empty() ? "" : fmt::format(", but {} is the name for it there", rule.instead)));
}

void Reader::walk(const Node& map, const std::string& what, const Slots& slots, const Handlers& handlers,
                  const Unknown& unknown) {
  if (map.kind == Node::Kind::map) walk_at(map, "", what, slots, handlers, unknown);
}

void Reader::walk_at(const Node& map, const std::string& prefix, const std::string& what, const Slots& slots,
                     const Handlers& handlers, const Unknown& unknown) {
  for (const auto& member : map.members) {
    const std::string name = prefix.empty() ? member.key : prefix + "." + member.key;
    const auto slot = std::find_if(slots.begin(), slots.end(), [&](const auto& one) { return one.name == name; });
    if (slot != slots.end() && (member.value.kind != Node::Kind::map || std::holds_alternative<Value*>(slot->target) ||
                                !is_below(slots, handlers, name))) {
      note(name, member.place, slot->rule);
      set(*slot, member.value);
      continue;
    }
    const auto handler =
        std::find_if(handlers.begin(), handlers.end(), [&](const auto& one) { return one.name == name; });
    if (handler != handlers.end()) {
      const bool is_type = name == "type" && member.value.kind == Node::Kind::scalar;
      note(is_type ? "type: " + member.value.scalar : name, member.place, handler->rule);
      handler->take(member, name);
      continue;
    }
    if (is_below(slots, handlers, name)) {
      if (member.value.kind == Node::Kind::map) {
        walk_at(member.value, name, what, slots, handlers, unknown);
      } else if (member.value.kind != Node::Kind::null) {
        wrong(member.value, name, "a map of settings");
      }
      continue;
    }
    if (unknown && unknown(member, name)) continue;
    const std::string near = nearest(name, names_of(slots, handlers));
    diagnostics_.warning(member.place, fmt::format("{} is no setting of {}, and has no effect{}", name, what,
                                                   near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
}

void Reader::wrong(const Node& node, const std::string& name, std::string_view wanted) {
  const std::string stands =
      node.kind == Node::Kind::scalar ? fmt::format("\"{}\"", node.scalar) : std::string(kind_of(node));
  diagnostics_.error(node.place, fmt::format("{}: {} stands where {} is wanted", name, stands, wanted));
}

std::optional<std::string> Reader::scalar(const Node& node, const std::string& name) {
  if (node.kind == Node::Kind::null) return std::nullopt;
  if (node.kind != Node::Kind::scalar) {
    wrong(node, name, "a single value");
    return std::nullopt;
  }
  auto replaced = substitute(node.scalar, lookup_);
  if (replaced) return std::move(*replaced);
  diagnostics_.error(node.place, fmt::format("{}: {}", name, replaced.error().text()));
  return std::nullopt;
}

void Reader::strings(const Node& node, const std::string& name, Strings& into) {
  if (node.kind == Node::Kind::map) return wrong(node, name, "a list of texts");
  if (node.kind == Node::Kind::null) return;
  into.clear();
  if (node.kind == Node::Kind::list) {
    for (const auto& item : node.items)
      if (auto text = scalar(item, name)) into.push_back(std::move(*text));
    return;
  }
  auto text = scalar(node, name);
  if (!text) return;
  if (!is_reference(node.scalar)) {
    into.push_back(std::move(*text));
    return;
  }
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (!one.empty()) into.emplace_back(one);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

Value Reader::value(const Node& node) {
  if (node.kind == Node::Kind::scalar) {
    const bool plain = !is_quoted(node.place);
    const auto text = scalar(node, "a value");
    if (!text) return {};
    return plain ? value_of_plain(*text) : Value{*text};
  }
  if (node.kind == Node::Kind::list) {
    Value::List items;
    for (const auto& item : node.items) items.push_back(value(item));
    return {std::move(items)};
  }
  if (node.kind == Node::Kind::null) return {};
  Value::Map members;
  for (const auto& member : node.members) members.emplace_back(member.key, value(member.value));
  return {std::move(members)};
}

void Reader::set_number(const Slot& slot, const Node& node, const std::string& text, std::int64_t& into) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  const bool bounded = slot.rule.most < Rule{}.most;
  if (fault != std::errc() || stop != end || number < slot.rule.least || number > slot.rule.most)
    return wrong(node, slot.name,
                 bounded ? fmt::format("a number from {} to {}", slot.rule.least, slot.rule.most)
                         : fmt::format("a number of at least {}", slot.rule.least));
  into = number;
}

void Reader::set(const Slot& slot, const Node& node) {
  if (node.kind == Node::Kind::null) return;
  if (auto* const* into = std::get_if<Value*>(&slot.target)) {
    **into = value(node);
    return;
  }
  if (auto* const* into = std::get_if<Strings*>(&slot.target)) return strings(node, slot.name, **into);
  const auto text = scalar(node, slot.name);
  if (!text) return;
  if (auto* const* into = std::get_if<std::string*>(&slot.target)) {
    const auto words = slot.rule.words;
    if (words.empty() || std::find(words.begin(), words.end(), *text) != words.end()) {
      **into = *text;
      return;
    }
    const std::string near = nearest(*text, words);
    constexpr std::size_t kListed = 12;
    const std::string all =
        words.size() > kListed ? fmt::format("its {} names", words.size()) : fmt::format("{}", fmt::join(words, ", "));
    return wrong(node, slot.name,
                 fmt::format("one of {}{}", all, near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
  }
  if (auto* const* into = std::get_if<bool*>(&slot.target)) {
    const Value parsed = value_of_plain(*text);
    const auto* flag = std::get_if<bool>(&parsed.data);
    if (flag == nullptr) return wrong(node, slot.name, "true or false");
    **into = *flag;
  } else if (auto* const* number = std::get_if<std::int64_t*>(&slot.target)) {
    set_number(slot, node, *text, **number);
  } else if (auto* const* duration = std::get_if<Nanoseconds*>(&slot.target)) {
    const auto parsed = parse_go_duration(*text);
    if (!parsed) return wrong(node, slot.name, parsed.error().text());
    const bool never = slot.rule.least < 0 && *parsed == -1s;
    if (*parsed < Nanoseconds(0) && !never) return wrong(node, slot.name, "a duration of 0 or more");
    **duration = *parsed;
  } else if (auto* const* size = std::get_if<ByteCount*>(&slot.target)) {
    const auto parsed = parse_size(*text);
    if (!parsed) return wrong(node, slot.name, parsed.error().text());
    if (parsed->value < static_cast<std::uint64_t>(std::max<std::int64_t>(0, slot.rule.least)))
      return wrong(node, slot.name, fmt::format("at least {} bytes", slot.rule.least));
    **size = *parsed;
  } else if (auto* const* mode = std::get_if<Permissions*>(&slot.target)) {
    std::uint32_t bits = 0;
    const char* end = text->data() + text->size();
    const auto [stop, fault] = std::from_chars(text->data(), end, bits, 8);
    if (fault != std::errc() || stop != end || bits > 0777) return wrong(node, slot.name, "an octal mode such as 0600");
    (*mode)->bits = bits;
  }
}

std::string show(const Target& target) {
  struct Shower {
    std::string operator()(const bool* one) const { return *one ? "true" : "false"; }
    std::string operator()(const std::int64_t* one) const { return std::to_string(*one); }
    std::string operator()(const Nanoseconds* one) const { return json_text(format_go_duration(*one)); }
    std::string operator()(const ByteCount* one) const { return std::to_string(one->value); }
    std::string operator()(const Permissions* one) const { return fmt::format("\"0{:o}\"", one->bits); }
    std::string operator()(const std::string* one) const { return json_text(*one); }
    std::string operator()(const Strings* one) const {
      std::string out;
      for (const auto& text : *one) out += (out.empty() ? "" : ", ") + json_text(text);
      return "[" + out + "]";
    }
    std::string operator()(const Value* one) const { return to_json(*one); }
  };
  return std::visit(Shower{}, target);
}

}  // namespace enclave::pipeline::filebeat
