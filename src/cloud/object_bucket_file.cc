#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "base/encoding.h"
#include "base/files.h"
#include "cloud/file_versions.h"
#include "cloud/object_bucket.h"

namespace enclave::cloud {
namespace {

// Beside the store's own temporary files, which it sweeps away: ours are swept when a bucket is opened for writing.
constexpr std::string_view kUploads = ".enclave-uploads";

class FileObjectBucket final : public ObjectBucket {
 public:
  FileObjectBucket(World world, std::unique_ptr<ObjectStore> store, std::string directory)
      : files_(world.files), random_(world.random), store_(std::move(store)), directory_(std::move(directory)) {}

  Result<ObjectHead> head(const std::string& key, const std::string& version, S3Told& /*told*/) override {
    return ObjectHead{TRY(store_->head(key, version)), {}};
  }

  Result<ObjectPart> range(const std::string& key, const std::string& version, std::uint64_t first, std::uint64_t count,
                           const std::string& etag, S3Told& told) override {
    for (int attempt = 0;; ++attempt) {
      ObjectPart part{TRY(head(key, version, told)), {}};
      const ObjectInfo& info = part.head.info;
      if (!etag.empty() && info.etag != etag)
        return Error{Fault::conflict, "{}: {} has changed while it was read", name(), key};
      const std::uint64_t bytes = info.bytes;
      auto file = open(key, info);
      // It may have become an older version meanwhile, and lies elsewhere then.
      if (!file && file.error().fault() == Fault::absent && attempt < 10) continue;
      if (!file) return std::move(file).error();
      const FileInfo found = TRY((*file)->info());
      if (found.modified_ns != info.modified_ns || found.bytes != bytes) {
        if (attempt < 10) continue;
        return Error{Fault::busy, "{}: {} changes all the time", name(), key};
      }
      part.bytes.resize(std::min(count, bytes - std::min(first, bytes)));
      for (std::size_t filled = 0; filled < part.bytes.size();) {
        const std::size_t got = TRY((*file)->read_at(first + filled, std::span<char>(part.bytes).subspan(filled)));
        if (got == 0) return Error{Fault::corrupt, "{}: {} is shorter than it was a moment ago", name(), key};
        filled += got;
      }
      return part;
    }
  }

  Result<std::string> put(const std::string& key, std::string_view bytes, const Pairs& /*metadata*/,
                          S3Told& /*told*/) override {
    return store_->put(key, bytes);
  }

  Result<MultipartUpload> begin(const std::string& key, const Pairs& /*metadata*/, S3Told& /*told*/) override {
    TRY(check_file_key(key));
    const std::string directory = join_path(directory_, kUploads);
    TRY(make_directories(files_, directory));
    std::array<std::uint8_t, 16> name{};
    random_.fill(name);
    const std::string id = to_hex(bytes_of(name));
    const std::lock_guard lock(mutex_);
    open_[id] = TRY(files_.create(join_path(directory, id), Create::exclusive));
    return MultipartUpload{key, id};
  }

  Result<UploadPart> put_part(const MultipartUpload& upload, std::uint32_t number, std::uint64_t offset,
                              std::string_view bytes, S3Told& /*told*/) override {
    TRY(TRY(file_of(upload))->write_at(offset, bytes));
    return UploadPart{number, std::to_string(offset), bytes.size()};
  }

  Result<std::string> complete(const MultipartUpload& upload, std::vector<UploadPart> /*parts*/,
                               S3Told& /*told*/) override {
    TRY(TRY(file_of(upload))->sync());
    close(upload);
    return store_->put_file(upload.key, path_of(upload));
  }

  Result<void> abort(const MultipartUpload& upload) override {
    close(upload);
    return remove_if_there(files_, path_of(upload));
  }

  Result<std::vector<UploadPart>> parts(const MultipartUpload& upload) override {
    // What a crash left is not known to be on the disk; writing it again costs little.
    return Error{Fault::absent, "{}: the upload {} cannot be gone on with", name(), upload.id};
  }

  Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) override {
    return store_->list(listing, visit);
  }

  Result<std::string> restore(const std::string& key, const std::string& version) override {
    S3Told told;
    constexpr std::uint64_t kStep = 4 << 20;
    ObjectPart part = TRY(range(key, version, 0, kStep, "", told));
    const std::string etag = part.head.info.etag;
    const MultipartUpload upload = TRY(begin(key, {}, told));
    const auto copy = [&]() -> Result<std::string> {
      for (std::uint64_t at = 0;;) {
        TRY(put_part(upload, 1, at, part.bytes, told));
        at += part.bytes.size();
        if (part.bytes.size() < kStep) return complete(upload, {}, told);
        part = TRY(range(key, version, at, kStep, etag, told));
      }
    };
    auto made = copy();
    if (!made) (void)abort(upload);
    return made;
  }

  Result<Deleted> remove(const std::vector<KeyVersion>& which) override {
    Deleted deleted;
    for (const auto& one : which) {
      if (const auto removed = store_->remove(one.key, one.version)) {
        deleted.done.push_back(one);
      } else {
        deleted.failed.push_back({one, std::string(name_of(removed.error().fault())), removed.error().text()});
      }
    }
    return deleted;
  }

  std::string name() const override { return store_->name(); }
  bool keeps_metadata() const override { return false; }

 private:
  Result<std::unique_ptr<File>> open(const std::string& key, const ObjectInfo& info) {
    const auto number = version_number(info.version);
    if (!number) return Error{Fault::corrupt, "{}: {} has no version", name(), key};
    const std::string kept = fmt::format("{}/{}/{}/{}", directory_, kVersionsDirectory, key,
                                         name_of(KeptVersion{*number, KeptVersion::Kind::object}));
    auto older = files_.open(kept);
    if (older || older.error().fault() != Fault::absent) return older;
    return files_.open(join_path(directory_, key));
  }

  std::string path_of(const MultipartUpload& upload) const {
    return fmt::format("{}/{}/{}", directory_, kUploads, upload.id);
  }
  Result<File*> file_of(const MultipartUpload& upload) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(upload.id);
    if (found == open_.end()) return Error{Fault::absent, "{}: there is no upload {}", name(), upload.id};
    return found->second.get();
  }
  void close(const MultipartUpload& upload) {
    const std::lock_guard lock(mutex_);
    open_.erase(upload.id);
  }

  Files& files_;
  Random& random_;
  const std::unique_ptr<ObjectStore> store_;
  const std::string directory_;
  std::mutex mutex_;
  // pwrite of disjoint parts: a File is used by several threads, but never for the same bytes.
  std::map<std::string, std::unique_ptr<File>> open_;
};

}  // namespace

Result<std::unique_ptr<ObjectBucket>> object_bucket_in(World world, const std::string& directory) {
  auto store = TRY(open_file_store(world, directory));
  return std::unique_ptr<ObjectBucket>(std::make_unique<FileObjectBucket>(world, std::move(store), directory));
}

Result<void> sweep_uploads_in(Files& files, const std::string& directory) {
  const std::string uploads = join_path(directory, kUploads);
  const auto left = files.list(uploads);
  if (!left) return left.error().fault() == Fault::absent ? Result<void>() : left.error();
  for (const auto& entry : *left) TRY(remove_if_there(files, join_path(uploads, entry.name)));
  return {};
}

}  // namespace enclave::cloud
