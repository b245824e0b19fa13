#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/document.h"
#include "pipeline/logstash/field_reference.h"

namespace enclave::pipeline {

/// A pattern such as "%{ts} %{+ts} %{host->} [%{?key}=%{&key}]", compiled once and used for each event: fields and the
/// delimiters between them. `+` appends, with the delimiter before it or a space; `+…/2` says in which order; `?` keeps
/// a value to itself; `&` stores under the name that another field holds; `->` skips repeated delimiters.
class Dissection {
 public:
  static constexpr std::size_t kPartsMax = 1000;

  /// Fault::invalid for a pattern without a field, for two fields without a delimiter between them, and for names that
  /// are none.
  static Result<Dissection> compile(std::string_view pattern);

  /// False, with the event as it was, when a delimiter is missing. `text` lives in the event's arena.
  bool apply(std::string_view text, event::Document& event);

 private:
  enum class Kind : std::uint8_t { normal, skip, append, indirect };
  struct Part {
    Kind kind = Kind::normal;
    std::string name;
    logstash::FieldReference field;
    std::string before, after;  ///< delimiters; "" at the ends
    std::uint32_t order = 0;
    bool padded = false;
  };
  static Result<Part> part_of(std::string_view key);
  bool take_apart(std::string_view text);
  void store(const Part& part, std::string_view value, event::Document& event) const;
  void append(const Part& part, std::string_view value, event::Document& event) const;
  std::string_view value_of(const Part& part, const event::Document& event) const;

  std::string prefix_;
  std::vector<Part> parts_;
  std::vector<std::string_view> values_;  ///< of the text at hand
  std::vector<std::size_t> order_;        ///< in which parts are stored
};

}  // namespace enclave::pipeline
