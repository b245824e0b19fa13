#pragma once

#include <bitset>
#include <string>
#include <string_view>

namespace enclave::pipeline {

/// Which bytes belong to a set that is written as the inside of a character class: "<>,", "a-z", "\\|", "\\t".
class ByteSet {
 public:
  ByteSet() = default;
  explicit ByteSet(std::string_view inside) {
    for (std::size_t i = 0; i < inside.size(); ++i) {
      const unsigned char first = take(inside, i);
      unsigned char last = first;
      if (i + 2 < inside.size() && inside[i + 1] == '-') {
        i += 2;
        last = take(inside, i);
      }
      for (unsigned byte = first; byte <= last; ++byte) bytes_.set(byte);
    }
  }
  bool has(char c) const { return bytes_[static_cast<unsigned char>(c)]; }
  bool empty() const { return bytes_.none(); }
  std::string_view trim(std::string_view text) const {
    while (!text.empty() && has(text.front())) text.remove_prefix(1);
    while (!text.empty() && has(text.back())) text.remove_suffix(1);
    return text;
  }

 private:
  static unsigned char take(std::string_view inside, std::size_t& i) {
    if (inside[i] != '\\' || i + 1 == inside.size()) return static_cast<unsigned char>(inside[i]);
    const char c = inside[++i];
    return static_cast<unsigned char>(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
  }
  std::bitset<256> bytes_;
};

}  // namespace enclave::pipeline
