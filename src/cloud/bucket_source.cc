#include "cloud/object_store.h"

namespace enclave::cloud {
namespace {

class BucketSource final : public archive::LogSource {
 public:
  explicit BucketSource(ObjectStore& store) : store_(store) {}

  Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) override {
    return store_.list({.prefix = prefix, .versions = true}, [&](const ObjectInfo& found) -> Result<void> {
      // A marker is no object: what it hides is listed, as not the latest.
      if (found.delete_marker) return {};
      Entry entry;
      entry.key = found.key;
      entry.bytes = found.bytes;
      entry.version = found.version;
      entry.latest = found.latest;
      entry.modified_ns = found.modified_ns;
      return visit(entry);
    });
  }

  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    return store_.get(key, version, bytes_max);
  }

  std::string name() const override { return store_.name(); }

 private:
  ObjectStore& store_;
};

}  // namespace

std::unique_ptr<archive::LogSource> bucket_source(ObjectStore& store) { return std::make_unique<BucketSource>(store); }

}  // namespace enclave::cloud
