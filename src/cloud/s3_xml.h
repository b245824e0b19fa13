#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/object_store.h"

/// The XML that an S3 server answers with. Foreign bytes: every reader has limits and fails with Fault::corrupt.
namespace enclave::cloud {

/// The largest answer to a list request that is read: 1,000 keys of 1,024 bytes, percent-encoded, and what is around
/// them.
inline constexpr std::uint64_t kListBytesMax = 16 << 20;

struct ListPage {
  std::vector<ObjectInfo> entries;  ///< in the order of the answer
  bool truncated = false;
  std::string next_token;    ///< of ListObjectsV2
  std::string next_key;      ///< of ListObjectVersions
  std::string next_version;  ///< of ListObjectVersions
};

/// ListBucketResult. Servers answer requests that they do not know with some other 200: the root element is checked.
Result<ListPage> parse_objects(std::string_view xml);
/// ListVersionsResult, versions and delete markers in the order of the answer. The version "null" of an unversioned
/// bucket becomes "" when it is the latest.
Result<ListPage> parse_versions(std::string_view xml);

struct S3Error {
  std::string code;
  std::string message;
  std::string resource;
  std::string request_id;
  std::string region;    ///< the right one, where the server says it
  std::string endpoint;  ///< of a redirect
};
/// Error. Anything else gives an empty one: proxies answer with pages of their own.
S3Error parse_error(std::string_view xml);

/// The name of the root element, without a prefix; "" when it is not XML.
std::string root_name(std::string_view xml);

/// Whether a VersioningConfiguration says Enabled.
Result<bool> parse_versioning(std::string_view xml);

}  // namespace enclave::cloud
