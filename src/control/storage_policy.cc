#include "control/storage_policy.h"

#include <algorithm>

namespace enclave::control {

using cloud::BucketPolicy;
using cloud::PolicyStatement;

namespace {

bool has(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

std::string tls_only_statement(std::string_view bucket, const TlsCondition& condition) {
  return fmt::format(
      "{{\"Sid\":\"{}\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":[\"arn:aws:s3:::{}\","
      "\"arn:aws:s3:::{}/*\"],\"Condition\":{{\"{}\":{{\"aws:SecureTransport\":\"{}\"}}}}}}",
      kTlsOnlySid, bucket, bucket, condition.operation, condition.value);
}

bool is_tls_only(const PolicyStatement& statement, std::string_view bucket, const TlsCondition& condition) {
  if (statement.allow || !has(statement.principals, "*")) return false;
  if (statement.not_principal || statement.not_action || statement.not_resource) return false;
  const std::string arn = fmt::format("arn:aws:s3:::{}", bucket);
  const auto& resources = statement.resources;
  if (!has(resources, "*") && !has(resources, arn + "*") && !(has(resources, arn) && has(resources, arn + "/*")))
    return false;
  if (!has(statement.actions, "s3:*") && !has(statement.actions, "*")) return false;
  if (statement.conditions.size() != 1) return false;
  const auto& found = statement.conditions.front();
  return found.operation == condition.operation && found.key == "aws:SecureTransport" && found.values.size() == 1 &&
         found.values.front() == condition.value;
}

Result<BucketPolicy> policy_of(std::string_view document) {
  if (document.empty()) return BucketPolicy();
  return BucketPolicy::parse(document);
}

std::string document_of(const BucketPolicy& policy) { return policy.statements().empty() ? "" : policy.json(); }

Result<std::string> with_statement(std::string_view document, std::string_view statement) {
  BucketPolicy policy = TRY(policy_of(document));
  TRY(policy.set(statement));
  return document_of(policy);
}

// Statements need no Sid, so those that stay are put into a policy that was emptied.
Result<std::string> without_public(std::string_view document) {
  const BucketPolicy policy = TRY(policy_of(document));
  BucketPolicy emptied = policy;
  std::string kept;
  for (const auto& statement : policy.statements()) {
    emptied.remove(statement.sid);
    if (!statement.is_public()) kept += (kept.empty() ? "" : ",") + statement.json;
  }
  if (kept.empty()) return std::string();
  std::string text = emptied.json();
  ENSURE(text.ends_with("[]}"));
  return text.insert(text.size() - 2, kept);
}

std::string show_policy(std::string_view document) {
  const auto policy = policy_of(document);
  if (!policy) return std::string(document);
  std::string out;
  for (const auto& statement : policy->statements()) out += (out.empty() ? "" : "\n") + statement.json;
  return out;
}

}  // namespace enclave::control
