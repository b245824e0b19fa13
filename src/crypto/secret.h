#pragma once

#include <string>
#include <string_view>

namespace enclave::crypto {

/// Bytes that must not leave: no formatter, no stream operator, no copy; wiped when they go.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// For the cipher, and for writing to a 0600 file. Never for a message.
  std::string_view reveal() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  /// Says that a copy is meant.
  Secret clone() const { return Secret(bytes_); }

 private:
  void wipe();
  std::string bytes_;
};

/// Compares in a time that depends on the length only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Overwrites memory in a way that the compiler keeps.
void wipe(void* data, std::size_t size);

}  // namespace enclave::crypto
