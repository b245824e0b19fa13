#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What S3 answers to requests for objects, and the bodies of such requests. Foreign bytes: with limits, Fault::corrupt
/// with the place, Fault::unsupported for another document than the one expected. An <Error> in an answer of 200, as
/// copying and completing may end, becomes the Error that it means.
namespace enclave::cloud {

inline constexpr std::uint64_t kResultBytesMax = 16 << 20;

struct UploadPart {
  std::uint32_t number = 0;  ///< 1 to 10,000
  std::string etag;          ///< without quotes
  std::uint64_t bytes = 0;   ///< 0 where it is not known
  bool operator==(const UploadPart&) const = default;
};

/// An object that is on its way in, in parts.
struct MultipartUpload {
  std::string key;
  std::string id;
};

struct PartsPage {
  std::vector<UploadPart> parts;
  bool truncated = false;
  std::uint32_t next = 0;  ///< part-number-marker of the next page
};
Result<PartsPage> parse_parts(std::string_view xml);

struct Upload {
  std::string key;
  std::string id;
  std::int64_t begun_ns = 0;
};
struct UploadsPage {
  std::vector<Upload> uploads;
  bool truncated = false;
  std::string next_key;
  std::string next_id;
};
Result<UploadsPage> parse_uploads(std::string_view xml);

/// InitiateMultipartUploadResult: the id.
Result<std::string> parse_begun(std::string_view xml);
/// CompleteMultipartUploadResult: the ETag, without quotes; "" where the server tells none (Ceph, sometimes).
Result<std::string> parse_completed(std::string_view xml);
/// CopyObjectResult or CopyPartResult: the ETag, likewise.
Result<std::string> parse_copied(std::string_view xml);

struct KeyVersion {
  std::string key;
  std::string version;  ///< empty: a delete marker is put on top
  bool operator==(const KeyVersion&) const = default;
};
struct DeleteFailure {
  KeyVersion which;
  std::string code;
  std::string message;
};
struct Deleted {
  std::vector<KeyVersion> done;
  std::vector<DeleteFailure> failed;
};
Result<Deleted> parse_deleted(std::string_view xml);

/// At most 1,000 keys, each of which XML can hold (xml_can_hold).
std::string format_delete(const std::vector<KeyVersion>& which);
std::string format_complete(const std::vector<UploadPart>& parts);

struct Account {
  std::string owner;
  std::string owner_name;
  struct Bucket {
    std::string name;
    std::int64_t made_ns = 0;  ///< 0 where it is not told
  };
  std::vector<Bucket> buckets;
};
/// ListAllMyBucketsResult.
Result<Account> parse_account(std::string_view xml);

}  // namespace enclave::cloud
