#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"

/// What the command line is made of. One table per verb: parsing, help, manual and completion all come from it.
namespace enclave::cli {

/// Exit statuses, the same for every verb.
enum Status : int {
  kGood = 0,
  kFailed = 1,        ///< could not do it
  kDiffers = 2,       ///< a control fails, or a plan has changes
  kViolated = 3,      ///< integrity violated
  kInconclusive = 4,  ///< could not tell
  kUsage = 64,        ///< wrong usage
};

enum class Completes : std::uint8_t { nothing, file, directory };

struct OptionSpec {
  char letter;             ///< 0: none
  std::string_view name;   ///< without the dashes
  std::string_view value;  ///< what the value is called; empty: a flag
  std::string_view help;   ///< one sentence or two
  bool repeats = false;
  Completes completes = Completes::nothing;
  std::span<const std::string_view> words = {};  ///< what the value may be
};

/// What stands on the command line besides options.
struct OperandSpec {
  std::string_view usage;  ///< "[TARGET]"; empty: there is none
  std::string_view help;
  std::size_t least = 0, most = 0;
  Completes completes = Completes::nothing;
  std::span<const std::string_view> words = {};
};

/// What a verb with several actions does: the first operand is the name of one.
struct ActionSpec {
  std::string_view name;
  std::string_view usage;  ///< of its operands: "KEY…"
  std::string_view help;
  std::size_t least = 0, most = 0;
  std::string_view options = {};  ///< those of the verb's options that it takes, with a space between
};

struct StatusSpec {
  int status;
  std::string_view meaning;
};

struct Example {
  std::string_view command;
  std::string_view what;
};

/// What was given, checked against the verb's table.
class Arguments {
 public:
  bool has(std::string_view option) const { return options_.find(option) != options_.end(); }
  /// The last value, or `fallback`.
  std::string value(std::string_view option, std::string_view fallback = "") const;
  std::vector<std::string> values(std::string_view option) const;
  const std::vector<std::string>& operands() const { return operands_; }
  void add(std::string_view option, std::vector<std::string> values) {
    options_[std::string(option)] = std::move(values);
  }
  void add_operand(std::string operand) { operands_.push_back(std::move(operand)); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> operands_;
};

/// The world of a verb: what it reads, writes and knows comes from here.
struct Shell {
  World world;
  std::ostream& out;
  std::ostream& err;
  bool out_terminal = false;
  bool err_terminal = false;
  std::string directory;  ///< the working directory, absolute
  std::function<std::optional<std::string>(std::string_view name)> environment;
  std::istream* in = nullptr;  ///< answers to questions; nullptr: nobody answers
  bool in_terminal = false;
};

struct Verb {
  std::string_view name;
  std::string_view summary;      ///< one line, no full stop
  std::string_view description;  ///< paragraphs with an empty line between
  std::span<const OptionSpec> options;
  OperandSpec operands;
  std::span<const StatusSpec> statuses;
  std::span<const Example> examples;
  int (*run)(const Arguments&, Shell&);
  std::span<const ActionSpec> actions = {};
};

/// Options of every verb.
std::span<const OptionSpec> common_options();
/// In the order in which a newcomer meets them.
std::span<const Verb* const> all_verbs();
const Verb* find_verb(std::string_view name);

/// `options` of the verb and the common ones.
std::vector<OptionSpec> options_of(const Verb& verb);

inline constexpr std::string_view kVersion = ENCLAVE_VERSION;

}  // namespace enclave::cli
