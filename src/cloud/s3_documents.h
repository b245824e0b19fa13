#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

/// The documents of a bucket's settings, read and written. Foreign bytes: at most 1 MiB, with limits on counts; what
/// cannot be read is Fault::corrupt with the place, and another document than the expected one Fault::unsupported.
/// Every format_…() gives a whole document in the namespace of S3 that its parse_…() reads to the same value.
namespace enclave::cloud {

inline constexpr std::uint64_t kDocumentBytesMax = 1 << 20;

struct Versioning {
  enum class State : std::uint8_t { never_set, enabled, suspended };
  State state = State::never_set;
  bool mfa_delete = false;
  bool operator==(const Versioning&) const = default;
};
Result<Versioning> parse_versioning_configuration(std::string_view xml);
std::string format_versioning(bool enabled);

struct Grant {
  enum class Grantee : std::uint8_t { user, all_users, authenticated_users, log_delivery, other };
  Grantee grantee = Grantee::user;
  std::string id;  ///< of a user the canonical id, of a group its URI, else the e-mail address
  std::string name;
  std::string permission;  ///< READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL
  bool operator==(const Grant&) const = default;
};
struct AccessControl {
  std::string owner;
  std::string owner_name;
  std::vector<Grant> grants;  ///< at most 1,000
  /// Nobody but the owner, and S3's own delivery of logs, is granted anything.
  bool is_private() const;
  /// All users, or all that have an account, are granted something.
  bool is_public() const;
  bool operator==(const AccessControl&) const = default;
};
Result<AccessControl> parse_acl(std::string_view xml);
std::string format_acl(const AccessControl& acl);

struct PublicAccessBlock {
  bool block_public_acls = false;
  bool ignore_public_acls = false;
  bool block_public_policy = false;
  bool restrict_public_buckets = false;
  bool all() const { return block_public_acls && ignore_public_acls && block_public_policy && restrict_public_buckets; }
  bool operator==(const PublicAccessBlock&) const = default;
};
/// Also with the root element that Ceph gives it.
Result<PublicAccessBlock> parse_public_access_block(std::string_view xml);
std::string format_public_access_block(const PublicAccessBlock& block);

struct ObjectLock {
  enum class Mode : std::uint8_t { none, governance, compliance };
  bool enabled = false;
  Mode mode = Mode::none;   ///< of the default retention
  std::uint32_t days = 0;   ///< either days or years is set when there is a mode
  std::uint32_t years = 0;  ///< of 365 days
  std::uint64_t retention_days() const { return days + std::uint64_t{365} * years; }
  bool operator==(const ObjectLock&) const = default;
};
Result<ObjectLock> parse_object_lock(std::string_view xml);
std::string format_object_lock(const ObjectLock& lock);

struct LifecycleRule {
  std::string id;
  std::string prefix;  ///< of the rule or of its filter; empty: all objects
  bool enabled = true;
  std::optional<std::uint32_t> expire_days;  ///< of current versions
  std::optional<std::uint32_t> noncurrent_days;
  std::optional<std::uint32_t> abort_upload_days;
  bool expired_delete_marker = false;
  /// Nothing stands in the rule but what the members above say. Rules with a filter by tag or size, transitions or
  /// dates are not plain.
  bool plain = true;
  /// As it was read, without namespace prefixes; written back as it is. Empty: of the members above.
  std::string xml;
};
struct Lifecycle {
  std::vector<LifecycleRule> rules;  ///< at most 1,000
  /// Replaces the rule with this id, or adds it. All others stay as they are.
  void set(LifecycleRule rule);
};
Result<Lifecycle> parse_lifecycle(std::string_view xml);
std::string format_lifecycle(const Lifecycle& lifecycle);

struct Encryption {
  std::string algorithm;  ///< "AES256", "aws:kms"
  std::string kms_key;
  bool operator==(const Encryption&) const = default;
};
Result<Encryption> parse_encryption(std::string_view xml);
std::string format_encryption(const Encryption& encryption);

using Tags = std::vector<std::pair<std::string, std::string>>;  ///< at most 50
Result<Tags> parse_tagging(std::string_view xml);
std::string format_tagging(const Tags& tags);

struct Logging {
  bool enabled = false;
  std::string bucket;  ///< where the logs go
  std::string prefix;
  bool operator==(const Logging&) const = default;
};
Result<Logging> parse_logging(std::string_view xml);
std::string format_logging(const Logging& logging);

/// PolicyStatus: what the server thinks; some call a policy for everybody under a condition "not public".
Result<bool> parse_policy_status(std::string_view xml);
/// LocationConstraint; "" is the server's first region.
Result<std::string> parse_location(std::string_view xml);

}  // namespace enclave::cloud
