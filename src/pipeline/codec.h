#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/filter.h"
#include "pipeline/multiline.h"

/// Codecs: how the bytes that an input receives become events, and how events become the bytes that an output sends.
namespace enclave::pipeline {

/// Made once for each worker; one thread at a time uses it. Keeps nothing from one event to the next: what several
/// lines make together (multiline) is put together before.
class Codec {
 public:
  virtual ~Codec() = default;
  /// Appends the events in `payload`, which outlives them: a line without its end, a datagram, a body. What cannot be
  /// read is an event too, with the payload as its message and a tag that says so ("_jsonparsefailure"): nothing is
  /// lost. The event's time is set by the caller where the codec leaves it unset.
  virtual void decode(std::string_view payload, event::Arena& arena, FilterRun& run,
                      std::vector<event::Document>& into) = 0;
  /// Appends one event, with what ends it in a stream where the codec has such an end.
  virtual void encode(const event::Document& event, FilterRun& run, std::string& out) = 0;

  /// Whether decode() makes one event of any payload, and nothing but its message of it, as it stands.
  virtual bool keeps_payload() const { return false; }
  /// How encode() writes texts, wherever they stand in the event.
  enum class Written : std::uint8_t { otherwise, as_is, json };
  virtual Written written() const { return Written::otherwise; }
};

/// The card of a codec. One file of codecs/ defines one: `const CodecPlugin codec_<file name>`.
struct CodecPlugin {
  std::string_view name;  ///< as in the configuration
  std::string_view help;
  /// Reads the options and reports each mistake; null when there was one.
  std::unique_ptr<Codec> (*make)(logstash::PluginOptions& options, const FilterWorld& world);
  /// Of codecs that put lines together; null for the others. `options` as for make.
  std::optional<MultilineRule> (*multiline)(logstash::PluginOptions& options, const FilterWorld& world) = nullptr;
};

/// Made by CMake from the files of codecs/.
std::span<const CodecPlugin* const> codec_plugins();

/// The codec that a plugin's `codec =>` asks for.
class CodecChoice {
 public:
  CodecChoice() = default;
  /// Reads the option `codec`: a name or a plugin with options of its own; without it `otherwise`. Mistakes go to the
  /// diagnostics of `options`, and then the choice is empty. The options' configuration outlives it.
  CodecChoice(logstash::PluginOptions& options, std::string_view otherwise, const FilterWorld& world);

  explicit operator bool() const { return card_ != nullptr; }
  std::string_view name() const { return card_->name; }
  /// One for each worker.
  std::unique_ptr<Codec> make() const;
  const std::optional<MultilineRule>& multiline() const { return multiline_; }

 private:
  const CodecPlugin* card_ = nullptr;
  std::function<std::unique_ptr<Codec>()> make_;
  std::optional<MultilineRule> multiline_;
};

}  // namespace enclave::pipeline
