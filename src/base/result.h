#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace enclave {

/// What kind of failure it is. The fault decides the policy of the caller:
/// busy is retried, corrupt is quarantined, denied is reported at once.
enum class Fault {
  invalid,      ///< the request or the input is wrong; repeating it cannot help
  denied,       ///< permission refused
  absent,       ///< the thing is not there
  conflict,     ///< the thing is there already, or is another one than expected
  busy,         ///< temporary: I/O error, network, time-out, server error
  corrupt,      ///< bytes that are not what they were when written
  limit,        ///< a bound was reached (also: no space left)
  unsupported,  ///< the other side, or this build, does not offer it
};

std::string_view name_of(Fault fault);

/// A failure: its kind and a text for the person who must act (what, which thing, what to do).
class Error {
 public:
  template <class... Args>
  Error(Fault fault, fmt::format_string<Args...> format, Args&&... args)
      : fault_(fault), text_(fmt::format(format, std::forward<Args>(args)...)) {}

  Fault fault() const { return fault_; }
  const std::string& text() const { return text_; }

  /// The same failure, told from one level up: "opening the spool: …".
  Error within(std::string_view what) && {
    text_ = fmt::format("{}: {}", what, text_);
    return std::move(*this);
  }

  /// `return Error{…}` from a function that returns Result<T>.
  template <class T>
  operator tl::expected<T, Error>() && {  // NOLINT(google-explicit-constructor)
    return tl::unexpected<Error>(std::move(*this));
  }
  template <class T>
  operator tl::expected<T, Error>() const& {  // NOLINT(google-explicit-constructor)
    return tl::unexpected<Error>(*this);
  }

 private:
  Fault fault_;
  std::string text_;
};

/// A value or the reason why there is none.
template <class T>
using Result = tl::expected<T, Error>;

/// The value of a Result that is known to hold one. For TRY.
template <class T>
T take_value(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

[[noreturn]] void ensure_failed(const char* expression, const char* file, int line);

}  // namespace enclave

/// The value of a Result, or return its error from this function. May be nested.
#define TRY(...) ENCLAVE_TRY_(ENCLAVE_JOIN_(try_result_, __COUNTER__), __VA_ARGS__)
#define ENCLAVE_JOIN_(a, b) ENCLAVE_JOIN_NOW_(a, b)
#define ENCLAVE_JOIN_NOW_(a, b) a##b
#define ENCLAVE_TRY_(name, ...)                         \
  ({                                                    \
    auto name = (__VA_ARGS__);                          \
    if (!name) [[unlikely]]                             \
      return ::enclave::Error(std::move(name).error()); \
    ::enclave::take_value(std::move(name));             \
  })

/// Ours to keep: a violated ENSURE is a bug, and the program stops, in release builds too.
#define ENSURE(expression) \
  (static_cast<bool>(expression) ? void(0) : ::enclave::ensure_failed(#expression, __FILE__, __LINE__))
