#pragma once

#include <string>
#include <string_view>

#include "cloud/s3_policy.h"

/// Changes of bucket policies that leave the statements of others as they are. A document "" is "no policy".
namespace enclave::control {

/// What refuses requests without TLS, in one of the forms that servers read differently.
struct TlsCondition {
  std::string_view operation;  ///< "BoolIfExists", "Null" or "Bool"
  std::string_view value;      ///< "false" or "true"
};
inline constexpr std::string_view kTlsOnlySid = "EnclaveTlsOnly";

/// The statement with that Sid: Deny, everybody, everything, on the bucket and all in it.
std::string tls_only_statement(std::string_view bucket, const TlsCondition& condition);
/// Whether the statement, whoever wrote it, refuses everything without TLS under this condition alone.
bool is_tls_only(const cloud::PolicyStatement& statement, std::string_view bucket, const TlsCondition& condition);

/// Faults as in BucketPolicy::parse().
Result<cloud::BucketPolicy> policy_of(std::string_view document);
/// "" when nothing stands in it: servers take no policy without statements.
std::string document_of(const cloud::BucketPolicy& policy);

/// The policy with the statement set; see BucketPolicy::set().
Result<std::string> with_statement(std::string_view document, std::string_view statement);
Result<std::string> without_public(std::string_view document);

/// For people: one statement a line.
std::string show_policy(std::string_view document);

}  // namespace enclave::control
