#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/arena.h"

namespace enclave::pipeline {

namespace logstash {
class PluginOptions;
}

/// The character set of what an input receives, as Ruby names it; turned into UTF-8. One thread at a time.
class Charset {
 public:
  Charset();
  ~Charset();
  Charset(Charset&&) noexcept;
  Charset& operator=(Charset&&) noexcept;

  /// UTF-8, ASCII-8BIT and BINARY leave bytes as they are; others are those of iconv(3). Fault::unsupported else.
  static Result<Charset> named(const std::string& name);
  /// The other way round: UTF-8 in a character set. Fault::unsupported too when the set has not all of it.
  static Result<std::string> encoded(const std::string& name, std::string_view text);
  /// Reads the option `charset`; a mistake when there is none of that name.
  static Charset from(logstash::PluginOptions& options);

  /// Whether bytes are left as they are.
  bool keeps() const { return state_ == nullptr; }
  /// The bytes themselves, or their text in the arena; what is not of the character set becomes U+FFFD.
  std::string_view text(std::string_view bytes, event::Arena& arena);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace enclave::pipeline
