#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/options.h"

/// The tree of a Logstash configuration. Plain values; a node owns what is below it and knows where it was written.
namespace enclave::pipeline::logstash {

/// `line` and `column` count from 1, columns in characters; `offset` in bytes from 0. `file` is an index into
/// Configuration::files.
struct Position {
  std::uint32_t file = 0;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::size_t offset = 0;
};

struct Value;
struct Plugin;
struct Expression;

enum class Quote : std::uint8_t { single_quote, double_quote };

struct String {
  std::string text;   ///< as written between the quotes; printers show this
  std::string value;  ///< what it means: after escapes and ${…}. May hold a secret, so it is never printed
  Quote quote = Quote::double_quote;
};

/// An unquoted word of at least two characters.
struct Bareword {
  std::string text;
};

/// Whole numbers with a leading zero are octal, as in the original.
struct Number {
  std::string text;
  std::variant<std::int64_t, double> value;
};

struct Array {
  std::vector<Value> items;
};

struct HashEntry;
struct Hash {
  std::vector<HashEntry> entries;  ///< in the order of the file
};

struct Value {
  Position position;
  std::variant<String, Bareword, Number, Array, Hash, std::unique_ptr<Plugin>> data;
};

struct HashEntry {
  Value key;  ///< a String, Bareword or Number
  Value value;
};

struct Attribute {
  Position position;
  std::string name;
  Value value;
};

struct Plugin {
  Position position;
  std::string name;
  std::vector<Attribute> attributes;  ///< a name may repeat: see find_all
};

/// A field reference as written: "[a][b]".
struct Selector {
  std::string text;
};

/// The pattern between the slashes, where a slash is written "\/" and stays so.
struct Regexp {
  std::string pattern;
};

struct Rvalue {
  Position position;
  std::variant<Selector, String, Number, Array, Regexp> data;
};

enum class LogicOperator : std::uint8_t { and_, or_, xor_, nand };
enum class CompareOperator : std::uint8_t { equal, not_equal, less, greater, less_equal, greater_equal };

struct Logic {
  LogicOperator operation = LogicOperator::and_;
  std::unique_ptr<Expression> left, right;
};
struct Not {
  std::unique_ptr<Expression> operand;
};
struct Comparison {
  CompareOperator operation = CompareOperator::equal;
  Rvalue left, right;
};
/// Substring for texts, membership for lists.
struct Membership {
  bool negated = false;
  Rvalue item, list;
};
struct Match {
  bool negated = false;
  Rvalue subject;  ///< a Selector or a String
  Rvalue pattern;  ///< a Regexp or a String, which is a pattern too
};
/// A field alone: it is there, and neither null nor false.
struct Truth {
  Selector field;
};

struct Expression {
  Position position;
  std::variant<Logic, Not, Comparison, Membership, Match, Truth> data;
  bool parenthesised = false;
  std::uint32_t depth = 1;  ///< of the tree below, itself included; at most kExpressionDepthMax
};

struct Branch;
using Item = std::variant<Plugin, Branch>;

/// One `if`, `else if` or `else` with what it runs. `else` has no condition.
struct Arm {
  Position position;
  std::unique_ptr<Expression> condition;
  std::vector<Item> items;
};
struct Branch {
  Position position;
  std::vector<Arm> arms;  ///< at least one; only the last may lack a condition
};

/// What several sections, also of several files, come to in the order of reading.
struct Configuration {
  std::vector<std::string> files;  ///< the names that positions speak of
  std::vector<Item> inputs, filters, outputs;

  Place place(const Position& position) const;
};

/// All attributes of that name, in order. The original merges them: hashes into one, lists end to end, other values
/// into a list.
std::vector<const Attribute*> find_all(const Plugin& plugin, std::string_view name);
/// The only or the last one; null without any.
const Attribute* find(const Plugin& plugin, std::string_view name);

/// The text of a String, Bareword or Number; null for others. A String gives its value.
const std::string* text_of(const Value& value);

std::string_view word_for(LogicOperator operation);
std::string_view word_for(CompareOperator operation);

}  // namespace enclave::pipeline::logstash
