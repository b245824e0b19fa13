#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ports.h"

namespace enclave::archive {

/// From where the verifier and the search read a log: a bucket, or a copied directory. Thread-safe.
class LogSource {
 public:
  struct Entry {
    std::string key;
    std::uint64_t bytes = 0;
    std::string version;  ///< empty where the source has no versions
    bool latest = true;
    std::int64_t modified_ns = 0;
  };
  virtual ~LogSource() = default;
  /// All objects whose key begins with `prefix`, with their versions where there are any, in byte order of the keys.
  virtual Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) = 0;
  /// Fault::absent when it is not there; Fault::limit when it is larger than `bytes_max`.
  virtual Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) = 0;
  /// The same in pieces, in order, for who needs each byte once. Sources that can read in place override it, so that
  /// memory does not grow with the object.
  virtual Result<void> stream(const std::string& key, const std::string& version, std::uint64_t bytes_max,
                              const std::function<Result<void>(std::string_view)>& take) {
    const std::string bytes = TRY(get(key, version, bytes_max));
    return take(bytes);
  }
  /// What the user called it: a path or a URL.
  virtual std::string name() const = 0;
};

/// A directory that holds a copy of a bucket. Keys are paths below it. Versions that the file store keeps beside
/// (docs/formats/log-layout.md) are listed as such. A name that starts with a dot is otherwise no object.
std::unique_ptr<LogSource> directory_source(Files& files, std::string directory);

}  // namespace enclave::archive
