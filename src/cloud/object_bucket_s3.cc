#include "cloud/object_bucket.h"
#include "cloud/s3_client.h"
#include "cloud/s3_objects.h"

namespace enclave::cloud {
namespace {

ObjectHeaders headers_of(const Pairs& metadata) { return {"application/octet-stream", metadata}; }

class S3ObjectBucket final : public ObjectBucket {
 public:
  explicit S3ObjectBucket(S3Bucket& bucket) : bucket_(bucket) {}

  Result<ObjectHead> head(const std::string& key, const std::string& version, S3Told& told) override {
    return head_object(bucket_, key, version, &told);
  }
  Result<ObjectPart> range(const std::string& key, const std::string& version, std::uint64_t first, std::uint64_t count,
                           const std::string& etag, S3Told& told) override {
    return get_range(bucket_, key, version, first, count, etag, &told);
  }
  Result<std::string> put(const std::string& key, std::string_view bytes, const Pairs& metadata,
                          S3Told& told) override {
    return put_object(bucket_, key, bytes, headers_of(metadata), &told);
  }

  Result<MultipartUpload> begin(const std::string& key, const Pairs& metadata, S3Told& told) override {
    return begin_upload(bucket_, key, headers_of(metadata), &told);
  }
  Result<UploadPart> put_part(const MultipartUpload& upload, std::uint32_t number, std::uint64_t /*offset*/,
                              std::string_view bytes, S3Told& told) override {
    return cloud::put_part(bucket_, upload, number, bytes, &told);
  }
  Result<std::string> complete(const MultipartUpload& upload, std::vector<UploadPart> parts, S3Told& told) override {
    return TRY(complete_upload(bucket_, upload, std::move(parts), &told)).version;
  }
  Result<void> abort(const MultipartUpload& upload) override { return abort_upload(bucket_, upload); }
  Result<std::vector<UploadPart>> parts(const MultipartUpload& upload) override { return list_parts(bucket_, upload); }

  Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) override {
    return list_objects(bucket_.client(), listing, visit);
  }
  Result<std::string> restore(const std::string& key, const std::string& version) override {
    return TRY(copy_object(bucket_, "", KeyVersion{key, version}, key)).version;
  }
  Result<Deleted> remove(const std::vector<KeyVersion>& which) override { return delete_objects(bucket_, which); }
  std::string name() const override { return bucket_.client().name(); }

 private:
  S3Bucket& bucket_;
};

}  // namespace

std::unique_ptr<ObjectBucket> object_bucket(S3Bucket& bucket) { return std::make_unique<S3ObjectBucket>(bucket); }

}  // namespace enclave::cloud
