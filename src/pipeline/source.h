#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/codec.h"
#include "pipeline/input.h"

/// Sources of a flow: inputs as Logstash's and Filebeat's files describe them.
namespace enclave::pipeline {

struct SourceSetup {
  World world;
  const Positions& positions;  ///< outlives the input
  InputLog& log;
};

/// A checked input: how it is opened, and how what it reads becomes events. Outlives what it opened. Thread-safe after
/// it was made.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<std::unique_ptr<Input>> open(const SourceSetup& setup) = 0;

  /// Appends the events in one reading to `into`; the batch outlives them. The default lets the codec read `raw` and
  /// adds what describe() knows to each.
  virtual void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& codec,
                    FilterRun& run, std::vector<event::Document>& into) const;
  /// Whether events that `codec` reads differ in nothing but their line and its offset, where their readings have
  /// neither fields nor a position and are whole.
  virtual bool alike(const Codec& /*codec*/) const { return false; }
  /// Whether somebody waits for what is read to be done, and sends little more before: then outputs make it safe as
  /// soon as nothing else is at hand, and not several times a second.
  virtual bool awaited() const { return false; }
  /// What is known besides the payload, such as path, host and port.
  virtual void describe(const event::Batch& batch, const event::Event& from, event::Document& into) const = 0;
};

/// The card of a Logstash input. One file of sources/ defines one: `const SourcePlugin source_<file name>`.
struct SourcePlugin {
  std::string_view name;  ///< as in the configuration
  std::string_view help;
  std::string_view codec;  ///< without `codec =>`
  /// Reads the options and reports each mistake; null when there was one. Options that all inputs have (codec, type,
  /// tags, add_field, id, enable_metric) are read by the caller.
  std::unique_ptr<Source> (*make)(logstash::PluginOptions& options, const FilterWorld& world);
};

/// Made by CMake from the files of sources/.
std::span<const SourcePlugin* const> source_plugins();

}  // namespace enclave::pipeline
