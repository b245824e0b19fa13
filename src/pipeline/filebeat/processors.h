#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/filebeat/reader.h"

/// Processors, in the order in which they act, and their conditions.
namespace enclave::pipeline::filebeat {

inline constexpr int kConditionDepthMax = 50;

/// One field of a condition and what it is compared with.
struct FieldTest {
  std::string field;
  std::string op;  ///< of range: gte, gt, lte, lt; else ""
  Value value;     ///< of network a text or a list of them; of has_fields null
  Place place;
};

struct Condition {
  enum class Kind : std::uint8_t { equals, contains, regexp, range, has_fields, network, any_of, all_of, none_of };
  Kind kind = Kind::equals;
  Place place;
  std::vector<FieldTest> tests;     ///< all of them must hold
  std::vector<Condition> children;  ///< of any_of (`or`), all_of (`and`), none_of (`not`, which has one)
};
std::string_view name_of(Condition::Kind kind);

struct Processor {
  std::string name;  ///< "if" for if-then-else
  Place place;
  Value options;  ///< a map; options that the file leaves out stand in it with their defaults
  std::optional<Condition> when;
  std::vector<Processor> then_do, else_do;
};

/// One of `indices` or `pipelines` of an output.
struct ChoiceRule {
  Place place;
  std::string format;                                         ///< what `index` or `pipeline` says
  std::vector<std::pair<std::string, std::string>> mappings;  ///< of what the format comes to; empty: it is the result
  std::string otherwise;                                      ///< `default`
  std::optional<Condition> when;
};

/// Reads a list of them; `key` is index or pipeline.
std::vector<ChoiceRule> read_choices(Reader& reader, const Node& node, const std::string& key);

/// Reads a list of processors, or a single one. What is no processor of Filebeat is an error with the nearest one; what
/// is one, but is not offered here, is an error too.
std::vector<Processor> read_processors(Reader& reader, const Node& node, const std::string& name);

std::string to_json(const Condition& condition);
std::string to_json(const Processor& processor);

}  // namespace enclave::pipeline::filebeat
