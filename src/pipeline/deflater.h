#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace enclave::pipeline {

/// What gzip and Logstash take when nobody says otherwise.
inline constexpr int kGzipLevel = 6;

/// Packs whole texts with DEFLATE (RFC 1951), in the form of gzip (RFC 1952) or zlib (RFC 1950). `level` is one of
/// zlib's, 1 to 9. Up to 6 ISA-L does it, many times as fast, for somewhat larger results (bench/RESULTS-chain.md).
/// From 7 on, where size is all that counts, zlib does. One thread at a time.
class Deflater {
 public:
  enum class Form : std::uint8_t { gzip, zlib };
  Deflater(Form form, int level);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends one gzip member or zlib stream that holds `plain`.
  void append(std::string_view plain, std::string& out);

 private:
  struct Packer;
  struct Isal;
  struct Zlib;
  std::unique_ptr<Packer> packer_;
};

}  // namespace enclave::pipeline
