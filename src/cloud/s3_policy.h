#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Bucket policies (the JSON of IAM's policy language, as far as buckets use it).
namespace enclave::cloud {

/// What S3 takes at most.
inline constexpr std::uint64_t kPolicyBytesMax = 20 << 10;

struct PolicyCondition {
  std::string operation;  ///< "Bool", "StringNotEqualsIfExists"
  std::string key;        ///< "aws:SecureTransport"
  std::vector<std::string> values;
  bool operator==(const PolicyCondition&) const = default;
};

struct PolicyStatement {
  std::string sid;
  bool allow = false;
  /// "*" for everybody; else ARNs and ids as they stand. With NotPrincipal see `not_principal`.
  std::vector<std::string> principals;
  bool not_principal = false;
  std::vector<std::string> actions;
  bool not_action = false;
  std::vector<std::string> resources;
  bool not_resource = false;
  std::vector<PolicyCondition> conditions;
  std::string json;  ///< of the whole statement, without white space; every value as it was read

  /// It names everybody, or everybody but a few.
  bool for_everybody() const;
  /// It allows something to everybody: also under a condition, since most conditions keep nobody out; only a condition
  /// on the caller's address, VPC, account, organisation or ARN counts as a bound.
  bool is_public() const;
};

class BucketPolicy {
 public:
  /// Fault::corrupt with what is wrong and in which statement; Fault::limit beyond 64 KiB, 200 statements or 32 levels.
  /// Unknown members are kept. `{}` is a policy without statements.
  static Result<BucketPolicy> parse(std::string_view json);
  /// An empty one, version 2012-10-17.
  BucketPolicy() = default;

  const std::vector<PolicyStatement>& statements() const { return statements_; }
  const PolicyStatement* find(std::string_view sid) const;

  /// One of its statements is.
  bool is_public() const;

  /// Replaces the statement with this Sid, or adds it at the end; all others stay as they are. `statement` is one JSON
  /// object; its Sid must not be empty. Fault::limit when the policy would exceed 20 KiB.
  Result<void> set(std::string_view statement);
  /// False: there was none.
  bool remove(std::string_view sid);

  /// Without white space.
  std::string json() const;

 private:
  std::string head_ = "\"Version\":\"2012-10-17\"";  ///< the members but Statement
  std::vector<PolicyStatement> statements_;
};

}  // namespace enclave::cloud
