#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/log_source.h"
#include "base/ports.h"

/// One bucket of an object store. All stores pass tests/contract/object_store_contract.h.
namespace enclave::cloud {

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
  std::string etag;
  std::string version;  ///< empty where versioning is off
  bool latest = true;
  bool delete_marker = false;
  std::int64_t modified_ns = 0;
};

struct Listing {
  std::string prefix;
  bool versions = false;  ///< older versions and delete markers too
};

/// Thread-safe. An object is seen whole or not at all. Keys: 1 to 1,024 bytes of UTF-8.
/// Faults: absent (object or bucket), conflict, denied, busy (network, 5xx, time-out: may be repeated; the effect of
/// the failed call is unknown), limit, unsupported, corrupt (bytes that are not what the store says they are).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Creates or replaces; gives the new version, empty where there are none.
  virtual Result<std::string> put(const std::string& key, std::string_view bytes) = 0;
  /// Fault::conflict when the key exists, whatever its content. Atomic where the server can; the S3 store finds out at
  /// open how this server can do it.
  virtual Result<std::string> put_if_absent(const std::string& key, std::string_view bytes) = 0;
  /// Like put_if_absent, but the file at `path` itself becomes the object, without a copy. It is whole and on the disk,
  /// and nobody will change it again; its other name may be removed afterwards. Fault::unsupported when this store
  /// cannot take it so: put its bytes instead.
  virtual Result<std::string> adopt(const std::string& key, const std::string& path) {
    return Error{Fault::unsupported, "{}: {} cannot become {} without a copy", name(), path, key};
  }
  /// Like put, but the file at `path` becomes the object and loses that name. As with adopt() it is whole and on the
  /// disk. Fault::unsupported when this store cannot take it so.
  virtual Result<std::string> put_file(const std::string& key, const std::string& path) {
    return Error{Fault::unsupported, "{}: {} cannot become {} without a copy", name(), path, key};
  }
  /// `version` empty: the latest.
  virtual Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) = 0;
  virtual Result<ObjectInfo> head(const std::string& key, const std::string& version) = 0;
  /// In byte order of the keys; of one key the latest version first.
  virtual Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) = 0;
  /// Without a version: a versioned bucket keeps the old ones under a delete marker. Absent is no error.
  virtual Result<void> remove(const std::string& key, const std::string& version) = 0;
  /// "file:///var/lib/enclave/store/logs" or "s3://logs at https://…": for people.
  virtual std::string name() const = 0;
};

/// How the verifier reads a bucket. The store outlives it.
std::unique_ptr<archive::LogSource> bucket_source(ObjectStore& store);

/// A directory as a versioned bucket. Objects are files, keys are paths; older versions lie below ".enclave-versions".
/// One process writes at a time; readers may be many.
Result<std::unique_ptr<ObjectStore>> open_file_store(World world, std::string directory);

}  // namespace enclave::cloud
