#include "base/options.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave {

void Diagnostics::add(Severity severity, Place place, std::string text) {
  errors_ += severity == Severity::error;
  entries_.push_back({severity, std::move(place), std::move(text)});
}

std::string Diagnostics::text() const {
  std::string out;
  for (const auto& entry : entries_) {
    if (!entry.place.file.empty()) out += entry.place.file + ":";
    if (entry.place.line > 0) out += fmt::format("{}:{}:", entry.place.line, entry.place.column);
    if (!out.empty() && out.back() == ':') out += " ";
    if (entry.severity == Severity::warning) out += "warning: ";
    out += entry.text + "\n";
  }
  return out;
}

const Node* Node::find(std::string_view key) const {
  for (const auto& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::string nearest(std::string_view word, std::span<const std::string_view> known) {
  // Levenshtein; a suggestion further away than a third of the word would only confuse.
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string_view found;
  for (const auto candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t above = row[j];
        row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (word[i - 1] != candidate[j - 1])});
        diagonal = above;
      }
    }
    if (row.back() < best) {
      best = row.back();
      found = candidate;
    }
  }
  return std::string(found);
}

namespace options_detail {
namespace {

std::string_view kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "something else";
}

bool expect_scalar(const Node& node, std::string_view name, std::string_view wanted, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::scalar) return true;
  diagnostics.error(node.place, fmt::format("{}: {} stands where {} is wanted", name, kind_of(node), wanted));
  return false;
}

template <class Field, class Parse>
void set_parsed(Field& field, const Node& node, std::string_view name, std::string_view wanted,
                Diagnostics& diagnostics, Parse parse) {
  if (!expect_scalar(node, name, wanted, diagnostics)) return;
  if (auto value = parse(node.scalar)) {
    field = *value;
  } else {
    diagnostics.error(node.place, fmt::format("{}: {}", name, value.error().text()));
  }
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return Error{Fault::invalid, "\"{}\" is neither true nor false", text};
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

}  // namespace

void set(bool& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  set_parsed(field, node, name, "true or false", diagnostics, parse_bool);
}
void set(std::uint64_t& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  set_parsed(field, node, name, "a number", diagnostics, parse_number);
}
void set(ByteCount& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  set_parsed(field, node, name, "a size", diagnostics, parse_bytes);
}
void set(Nanoseconds& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  set_parsed(field, node, name, "a duration", diagnostics, parse_duration);
}
void set(std::string& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  if (expect_scalar(node, name, "a text", diagnostics)) field = node.scalar;
}
void set(Strings& field, const Node& node, std::string_view name, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::scalar) {
    field = {node.scalar};
    return;
  }
  if (node.kind != Node::Kind::list) {
    diagnostics.error(node.place, fmt::format("{}: {} stands where a list of texts is wanted", name, kind_of(node)));
    return;
  }
  field.clear();
  for (const auto& item : node.items)
    if (expect_scalar(item, name, "a text", diagnostics)) field.push_back(item.scalar);
}

void check_word(const std::string& value, std::span<const std::string_view> words, const Node& node,
                std::string_view name, Diagnostics& diagnostics) {
  if (words.empty() || node.kind != Node::Kind::scalar) return;
  if (std::find(words.begin(), words.end(), value) != words.end()) return;
  const std::string near = nearest(value, words);
  diagnostics.error(node.place, fmt::format("{}: \"{}\" is not one of {}{}", name, value, joined(words),
                                            near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

void unknown_key(const Node::Member& member, std::span<const std::string_view> known, Diagnostics& diagnostics) {
  const std::string near = nearest(member.key, known);
  diagnostics.error(member.place,
                    near.empty() ? fmt::format("\"{}\" is not a key here; known are {}", member.key, joined(known))
                                 : fmt::format("\"{}\" is not a key here; did you mean \"{}\"?", member.key, near));
}

bool expect_map(const Node& node, std::string_view what, Diagnostics& diagnostics) {
  if (node.kind == Node::Kind::map) return true;
  diagnostics.error(node.place, fmt::format("{}: {} stands where a map (key: value) is wanted", what, kind_of(node)));
  return false;
}

std::pair<std::string_view, std::string> describe(bool value) { return {"yes or no", value ? "true" : "false"}; }
std::pair<std::string_view, std::string> describe(std::uint64_t value) { return {"number", std::to_string(value)}; }
std::pair<std::string_view, std::string> describe(ByteCount value) {
  for (const auto& [shift, name] : {std::pair{30, "GiB"}, {20, "MiB"}, {10, "KiB"}})
    if (value.value != 0 && value.value % (1ULL << shift) == 0)
      return {"size", fmt::format("{}{}", value.value >> shift, name)};
  return {"size", fmt::format("{}B", value.value)};
}
std::pair<std::string_view, std::string> describe(Nanoseconds value) { return {"duration", format_duration(value)}; }
std::pair<std::string_view, std::string> describe(const std::string& value) { return {"text", value}; }
std::pair<std::string_view, std::string> describe(const Strings& value) {
  std::string out;
  for (const auto& item : value) out += (out.empty() ? "" : ", ") + item;
  return {"list of texts", out};
}

}  // namespace options_detail
}  // namespace enclave
