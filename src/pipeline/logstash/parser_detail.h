#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/logstash/lexer.h"
#include "pipeline/logstash/parser.h"

/// The parts of the parser; for parser*.cc alone.
namespace enclave::pipeline::logstash::parser_detail {

/// What the parts share: where reading stands, what went wrong, which braces are open.
struct State {
  State(std::string_view text, std::uint32_t file_index, const ParseOptions& parse_options, Configuration& into,
        Diagnostics& to)
      : lexer(text, file_index), options(parse_options), configuration(into), diagnostics(to) {}

  Lexer lexer;
  const ParseOptions& options;
  Configuration& configuration;
  Diagnostics& diagnostics;
  std::vector<Position> braces;  ///< those that are open
  std::size_t mistakes = 0;
  int nesting = 0;
  bool stopped = false;  ///< nothing that follows can be understood

  void error(const Position& position, std::string text);
  void error(std::string text) { error(lexer.position(), std::move(text)); }
  void stop(const Position& position, std::string text);
  /// "X stands where Y is wanted".
  void unexpected(std::string_view wanted, std::string_view mend = {});
  /// Takes "{", or says that it is missing.
  bool open(std::string_view after);
  /// Takes "}" when it stands here.
  bool close();
  /// Skips to behind the brace that leaves `depth` braces open; quoted texts and comments are not looked into.
  void recover(std::size_t depth);
  /// Skips to the next "{" or "}", or to the end.
  void skip_to_brace();
  /// The quoted text that begins here; stops when it is never closed.
  std::optional<String> quoted();
  Number number(std::string_view text);
};

/// One level deeper for as long as it lives.
class Deeper {
 public:
  explicit Deeper(State& state) : state_(state) {
    if (++state_.nesting > kNestingMax && !state_.stopped)
      state_.stop(state_.lexer.position(), fmt::format("nested more than {} deep", kNestingMax));
  }
  ~Deeper() { --state_.nesting; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  State& state_;
};

/// Each reads what begins here. False: the mistake is told, and the reader's place is where it was met.
bool parse_value(State& state, Value& out);
bool parse_array(State& state, Array& out);
bool parse_plugin_body(State& state, Plugin& out);
bool parse_condition(State& state, std::unique_ptr<Expression>& out);

}  // namespace enclave::pipeline::logstash::parser_detail
