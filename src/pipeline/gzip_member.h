#pragma once

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

/// Whether all members of a gzip file are whole. `read` gives its next bytes, none at its end. An empty file is.
Result<bool> is_whole_gzip(const std::function<Result<std::string_view>()>& read);

}  // namespace enclave::pipeline
