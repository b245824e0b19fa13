#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

/// Configuration: a tree of nodes that know where they stand, and tables that parse, check and document a struct.
namespace enclave {

/// Where something stands in a file. Lines and columns count from 1; line 0: no place (an argument, a default).
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

/// All that is wrong, gathered: the user gets every mistake at once.
class Diagnostics {
 public:
  enum class Severity : std::uint8_t { warning, error };
  struct Entry {
    Severity severity;
    Place place;
    std::string text;
  };
  void error(Place place, std::string text) { add(Severity::error, std::move(place), std::move(text)); }
  void warning(Place place, std::string text) { add(Severity::warning, std::move(place), std::move(text)); }
  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  std::span<const Entry> entries() const { return entries_; }
  /// One line each: "enclave.yaml:7:14: text"; warnings say so.
  std::string text() const;

 private:
  void add(Severity severity, Place place, std::string text);
  std::vector<Entry> entries_;
  std::size_t errors_ = 0;
};

/// A parsed document, free of the language that it was written in.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  struct Member;
  Kind kind = Kind::null;
  Place place;
  std::string scalar;
  std::vector<Node> items;      ///< of a list
  std::vector<Member> members;  ///< of a map, in the order of the file; keys are unique
  const Node* find(std::string_view key) const;
};
struct Node::Member {
  std::string key;
  Place place;
  Node value;
};

using Strings = std::vector<std::string>;

/// One option of a plain struct: name, member, one line of help, and for a text the words that it may be.
template <class T>
struct Option {
  using Field =
      std::variant<bool T::*, std::uint64_t T::*, ByteCount T::*, Nanoseconds T::*, std::string T::*, Strings T::*>;
  std::string_view name;
  Field field;
  std::string_view help;
  std::span<const std::string_view> words = {};
};

/// What an option is, for manuals and completion. `fallback` is its default as text.
struct OptionCard {
  std::string_view name;
  std::string_view type;  ///< "yes or no", "number", "size", "duration", "text", "list of texts"
  std::string fallback;
  std::string_view help;
  std::vector<std::string_view> words;
};

/// The nearest of `known` to `word` by edit distance, or "" when none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> known);

namespace options_detail {
void set(bool& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void set(std::uint64_t& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void set(ByteCount& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void set(Nanoseconds& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void set(std::string& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void set(Strings& field, const Node& node, std::string_view name, Diagnostics& diagnostics);
void check_word(const std::string& value, std::span<const std::string_view> words, const Node& node,
                std::string_view name, Diagnostics& diagnostics);
void unknown_key(const Node::Member& member, std::span<const std::string_view> known, Diagnostics& diagnostics);
bool expect_map(const Node& node, std::string_view what, Diagnostics& diagnostics);

std::pair<std::string_view, std::string> describe(bool value);
std::pair<std::string_view, std::string> describe(std::uint64_t value);
std::pair<std::string_view, std::string> describe(ByteCount value);
std::pair<std::string_view, std::string> describe(Nanoseconds value);
std::pair<std::string_view, std::string> describe(const std::string& value);
std::pair<std::string_view, std::string> describe(const Strings& value);
}  // namespace options_detail

/// Fills `into` from a map by its table. `others` are keys of the map that somebody else reads; any further key is an
/// error that names the nearest known one. Scalars are texts: what they mean is decided by the member's type.
template <class T>
void parse_options(const Node& node, std::span<const Option<T>> table, T& into, std::string_view what,
                   Diagnostics& diagnostics, std::span<const std::string_view> others = {}) {
  if (!options_detail::expect_map(node, what, diagnostics)) return;
  std::vector<std::string_view> known(others.begin(), others.end());
  for (const auto& option : table) known.push_back(option.name);
  for (const auto& member : node.members) {
    const Option<T>* found = nullptr;
    for (const auto& option : table)
      if (option.name == member.key) found = &option;
    if (found == nullptr) {
      bool foreign = false;
      for (const auto& other : others) foreign = foreign || other == member.key;
      if (!foreign) options_detail::unknown_key(member, known, diagnostics);
      continue;
    }
    std::visit(
        [&](auto field) {
          options_detail::set(into.*field, member.value, found->name, diagnostics);
          if constexpr (std::is_same_v<decltype(field), std::string T::*>)
            options_detail::check_word(into.*field, found->words, member.value, found->name, diagnostics);
        },
        found->field);
  }
}

template <class T>
std::vector<OptionCard> cards_of(std::span<const Option<T>> table) {
  const T defaults{};
  std::vector<OptionCard> cards;
  for (const auto& option : table) {
    auto [type, fallback] =
        std::visit([&](auto field) { return options_detail::describe(defaults.*field); }, option.field);
    cards.push_back({option.name, type, std::move(fallback), option.help,
                     std::vector<std::string_view>(option.words.begin(), option.words.end())});
  }
  return cards;
}

}  // namespace enclave
