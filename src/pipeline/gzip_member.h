#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::pipeline {

/// Writes whole gzip members (RFC 1952): one behind the other they are a gzip file again. Not thread-safe.
class GzipWriter {
 public:
  explicit GzipWriter(int level = 6);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;
  /// Appends one member that holds `plain`.
  void member(std::string_view plain, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How many bytes at the start of a gzip file are whole members: all of them where its end is not torn. `read` gives
/// the next bytes of the file, none at its end.
Result<std::uint64_t> whole_gzip_bytes(const std::function<Result<std::string_view>()>& read);

}  // namespace enclave::pipeline
