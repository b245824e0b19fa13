#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/host.h"
#include "pipeline/file_target.h"
#include "pipeline/logstash/text_reference.h"
#include "pipeline/s3_files.h"

namespace enclave::pipeline {

struct S3OutputOptions {
  enum class Rotation : std::uint8_t { size_and_time, size, time };

  CodecChoice codec;
  logstash::TextReference prefix;
  std::vector<std::string> tags;  ///< they stand in the names of objects
  bool gzip = false;
  Rotation rotation = Rotation::size_and_time;
  std::uint64_t size_file = 5 << 20;
  Nanoseconds time_file = std::chrono::minutes(15);
  std::string temporary_directory;  ///< empty: below the state directory
  bool restore = true, validate = true;
  S3UploadOptions upload;
  cloud::S3Credentials credentials;
  bool plain_http = false;  ///< the endpoint says http://
};

/// What a prefix becomes: no part of it is ".", ".." or longer than 255 bytes, no control characters, 900 bytes in all.
std::string s3_prefix_of(std::string_view text);

/// Collects events in files, which become objects once they are large or old enough. An event is settled when its file
/// is on the disk: after a crash the next start uploads it.
class S3Output final : public Output {
 public:
  explicit S3Output(S3OutputOptions options) : options_(std::move(options)) {}
  ~S3Output() override;
  Result<void> open(const OutputSetup& setup) override;
  std::unique_ptr<Packer> packer() const override;
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override;
  Result<std::uint64_t> settle(bool wait) override;

 private:
  struct Collecting {
    std::string path, key;
    std::uint64_t bytes = 0;
    std::int64_t since_boot_ns = 0;
  };
  using All = std::map<std::string, Collecting, std::less<>>;

  static constexpr std::size_t kPrefixesMax = 500;
  Result<void> validate() const;
  Result<void> restore();
  Result<void> restore_folder(const std::string& folder);
  void clean(const std::string& folder) const;
  Result<void> mend(const std::string& path) const;
  Collecting& file_of(const std::string& prefix);
  std::string new_uuid() const;
  Result<void> rotate(All::iterator which);

  const S3OutputOptions options_;
  std::optional<OutputSetup> setup_;
  std::string root_, folder_;  ///< all that is collected; by this process
  std::optional<io::Lock> lock_;
  std::shared_ptr<cloud::S3Client> client_;
  std::unique_ptr<FileTargets> files_;
  std::unique_ptr<S3Uploads> uploads_;
  All collecting_;
  std::uint64_t parts_ = 0, last_ = 0;
};

}  // namespace enclave::pipeline
