#include "cloud/s3_documents.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/encoding.h"
#include "cloud/xml_reader.h"

namespace enclave::cloud {
namespace {

constexpr std::size_t kGrantsMax = 1000;
constexpr std::size_t kRulesMax = 1000;
constexpr std::size_t kTagsMax = 50;
constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::string_view kAuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr std::string_view kLogDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

Result<pugi::xml_node> document_of(pugi::xml_document& document, std::string_view xml, std::string_view root) {
  return root_of(document, xml, root, kDocumentBytesMax);
}

Error misplaced(const pugi::xml_node& node, std::string_view what) {
  return Error{Fault::corrupt, "<{}> at byte {} of the server's document: {}", local_name(node).substr(0, 64),
               node.offset_debug(), what};
}

Grant::Grantee group_of(std::string_view uri) {
  if (uri == kAllUsers) return Grant::Grantee::all_users;
  if (uri == kAuthenticatedUsers) return Grant::Grantee::authenticated_users;
  return uri == kLogDelivery ? Grant::Grantee::log_delivery : Grant::Grantee::other;
}

Result<Grant> grant_of(const pugi::xml_node& node) {
  Grant grant;
  grant.permission = child_text(node, "Permission");
  constexpr std::array<std::string_view, 5> kPermissions = {"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"};
  if (std::find(kPermissions.begin(), kPermissions.end(), grant.permission) == kPermissions.end())
    return misplaced(node, "a grant without a known permission");
  const auto grantee = child_of(node, "Grantee");
  grant.name = child_text(grantee, "DisplayName");
  if (const auto uri = child_text(grantee, "URI"); !uri.empty()) {
    grant.id = uri;
    grant.grantee = group_of(uri);
    return grant;
  }
  grant.id = child_text(grantee, "ID");
  if (!grant.id.empty()) return grant;
  grant.grantee = Grant::Grantee::other;
  grant.id = child_text(grantee, "EmailAddress");
  if (grant.id.empty()) return misplaced(node, "a grant to nobody");
  return grant;
}

std::string grantee_xml(const Grant& grant) {
  constexpr std::string_view kForm =
      "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{}\">{}</Grantee>";
  const bool mail = grant.grantee == Grant::Grantee::other && grant.id.find("://") == std::string::npos;
  if (mail) return fmt::format(kForm, "AmazonCustomerByEmail", xml_element("EmailAddress", grant.id));
  if (grant.grantee != Grant::Grantee::user) return fmt::format(kForm, "Group", xml_element("URI", grant.id));
  const std::string name = grant.name.empty() ? "" : xml_element("DisplayName", grant.name);
  return fmt::format(kForm, "CanonicalUser", xml_element("ID", grant.id) + name);
}

struct WithoutPrefixes final : pugi::xml_tree_walker {
  bool for_each(pugi::xml_node& node) override {
    if (node.type() == pugi::node_element) node.set_name(std::string(local_name(node)).c_str());
    return true;
  }
};

std::string verbatim(pugi::xml_node node) {
  WithoutPrefixes walker;
  node.traverse(walker);
  node.set_name(std::string(local_name(node)).c_str());
  std::ostringstream out;
  node.print(out, "", pugi::format_raw);
  return std::move(out).str();
}

// Whether the children are only these, each once: then the members of a rule say all of it.
bool only(const pugi::xml_node& node, std::initializer_list<std::string_view> names) {
  std::vector<std::string_view> seen;
  for (const auto& child : node.children()) {
    const auto name = local_name(child);
    if (std::find(names.begin(), names.end(), name) == names.end()) return false;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return false;
    seen.push_back(name);
  }
  return true;
}

Result<LifecycleRule> rule_of(const pugi::xml_node& node) {
  LifecycleRule rule;
  rule.id = child_text(node, "ID");
  const auto status = child_text(node, "Status");
  if (status != "Enabled" && status != "Disabled")
    return misplaced(node, "a rule that is neither Enabled nor Disabled");
  rule.enabled = status == "Enabled";
  const auto filter = child_of(node, "Filter");
  rule.prefix = child_text(node, "Prefix");
  if (rule.prefix.empty()) rule.prefix = child_text(filter, "Prefix");
  const auto expiration = child_of(node, "Expiration");
  const auto noncurrent = child_of(node, "NoncurrentVersionExpiration");
  const auto abort = child_of(node, "AbortIncompleteMultipartUpload");
  rule.expire_days = TRY(child_number(expiration, "Days"));
  rule.expired_delete_marker = child_flag(expiration, "ExpiredObjectDeleteMarker");
  rule.noncurrent_days = TRY(child_number(noncurrent, "NoncurrentDays"));
  rule.abort_upload_days = TRY(child_number(abort, "DaysAfterInitiation"));
  rule.plain = only(node, {"ID", "Status", "Prefix", "Filter", "Expiration", "NoncurrentVersionExpiration",
                           "AbortIncompleteMultipartUpload"}) &&
               only(filter, {"Prefix"}) && only(expiration, {"Days", "ExpiredObjectDeleteMarker"}) &&
               only(noncurrent, {"NoncurrentDays"}) && only(abort, {"DaysAfterInitiation"});
  rule.xml = verbatim(node);
  return rule;
}

std::string rule_xml(const LifecycleRule& rule) {
  if (!rule.xml.empty()) return rule.xml;
  std::string inner = rule.id.empty() ? "" : xml_element("ID", rule.id);
  inner += fmt::format("<Filter>{}</Filter>", xml_element("Prefix", rule.prefix));
  inner += xml_element("Status", rule.enabled ? "Enabled" : "Disabled");
  const auto number = [](std::string_view name, std::uint32_t value) {
    return xml_element(name, std::to_string(value));
  };
  std::string expiration;
  if (rule.expire_days) expiration += number("Days", *rule.expire_days);
  if (rule.expired_delete_marker) expiration += xml_element("ExpiredObjectDeleteMarker", "true");
  if (!expiration.empty()) inner += fmt::format("<Expiration>{}</Expiration>", expiration);
  if (rule.noncurrent_days)
    inner += fmt::format("<NoncurrentVersionExpiration>{}</NoncurrentVersionExpiration>",
                         number("NoncurrentDays", *rule.noncurrent_days));
  if (rule.abort_upload_days)
    inner += fmt::format("<AbortIncompleteMultipartUpload>{}</AbortIncompleteMultipartUpload>",
                         number("DaysAfterInitiation", *rule.abort_upload_days));
  return fmt::format("<Rule>{}</Rule>", inner);
}

}  // namespace

Result<Versioning> parse_versioning_configuration(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "VersioningConfiguration"));
  Versioning versioning;
  const auto status = child_of(root, "Status");
  const std::string_view said = status.text().get();
  if (said == "Enabled") versioning.state = Versioning::State::enabled;
  if (said == "Suspended") versioning.state = Versioning::State::suspended;
  if (!said.empty() && versioning.state == Versioning::State::never_set)
    return misplaced(status, "neither Enabled nor Suspended");
  const auto mfa = child_text(root, "MfaDelete");
  versioning.mfa_delete = mfa == "Enabled";
  return versioning;
}

std::string format_versioning(bool enabled) {
  return xml_root("VersioningConfiguration", xml_element("Status", enabled ? "Enabled" : "Suspended"));
}

bool AccessControl::is_private() const {
  return std::all_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return (grant.grantee == Grant::Grantee::user && grant.id == owner) ||
           grant.grantee == Grant::Grantee::log_delivery;
  });
}

bool AccessControl::is_public() const {
  return std::any_of(grants.begin(), grants.end(), [](const Grant& grant) {
    return grant.grantee == Grant::Grantee::all_users || grant.grantee == Grant::Grantee::authenticated_users;
  });
}

Result<AccessControl> parse_acl(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "AccessControlPolicy"));
  AccessControl acl;
  const auto owner = child_of(root, "Owner");
  acl.owner = child_text(owner, "ID");
  acl.owner_name = child_text(owner, "DisplayName");
  if (acl.owner.empty()) return misplaced(root, "an ACL without an owner");
  for (const auto& child : child_of(root, "AccessControlList").children()) {
    if (local_name(child) != "Grant") return misplaced(child, "not a grant");
    if (acl.grants.size() == kGrantsMax) return misplaced(child, "more than 1,000 grants");
    acl.grants.push_back(TRY(grant_of(child)));
  }
  return acl;
}

std::string format_acl(const AccessControl& acl) {
  std::string grants;
  for (const auto& grant : acl.grants)
    grants += fmt::format("<Grant>{}{}</Grant>", grantee_xml(grant), xml_element("Permission", grant.permission));
  const std::string name = acl.owner_name.empty() ? "" : xml_element("DisplayName", acl.owner_name);
  return xml_root("AccessControlPolicy", fmt::format("<Owner>{}{}</Owner><AccessControlList>{}</AccessControlList>",
                                                     xml_element("ID", acl.owner), name, grants));
}

Result<PublicAccessBlock> parse_public_access_block(std::string_view xml) {
  pugi::xml_document document;
  auto root = document_of(document, xml, "PublicAccessBlockConfiguration");
  if (!root && root.error().fault() == Fault::unsupported)
    root = document_of(document, xml, "BlockPublicAccessBlockConfiguration");
  if (!root) return std::move(root).error();
  PublicAccessBlock block;
  block.block_public_acls = child_flag(*root, "BlockPublicAcls");
  block.ignore_public_acls = child_flag(*root, "IgnorePublicAcls");
  block.block_public_policy = child_flag(*root, "BlockPublicPolicy");
  block.restrict_public_buckets = child_flag(*root, "RestrictPublicBuckets");
  return block;
}

std::string format_public_access_block(const PublicAccessBlock& block) {
  const auto flag = [](std::string_view name, bool on) { return xml_element(name, on ? "true" : "false"); };
  return xml_root("PublicAccessBlockConfiguration", flag("BlockPublicAcls", block.block_public_acls) +
                                                        flag("IgnorePublicAcls", block.ignore_public_acls) +
                                                        flag("BlockPublicPolicy", block.block_public_policy) +
                                                        flag("RestrictPublicBuckets", block.restrict_public_buckets));
}

Result<ObjectLock> parse_object_lock(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "ObjectLockConfiguration"));
  ObjectLock lock;
  lock.enabled = child_text(root, "ObjectLockEnabled") == "Enabled";
  const auto rule = child_of(root, "Rule");
  const auto retention = child_of(rule, "DefaultRetention");
  if (!retention) return lock;
  const auto mode = child_text(retention, "Mode");
  if (mode == "GOVERNANCE") lock.mode = ObjectLock::Mode::governance;
  if (mode == "COMPLIANCE") lock.mode = ObjectLock::Mode::compliance;
  if (lock.mode == ObjectLock::Mode::none) return misplaced(retention, "neither GOVERNANCE nor COMPLIANCE");
  lock.days = TRY(child_number(retention, "Days")).value_or(0);
  lock.years = TRY(child_number(retention, "Years")).value_or(0);
  if ((lock.days == 0) == (lock.years == 0)) return misplaced(retention, "a retention of neither days nor years");
  return lock;
}

std::string format_object_lock(const ObjectLock& lock) {
  std::string inner = lock.enabled ? xml_element("ObjectLockEnabled", "Enabled") : "";
  if (lock.mode != ObjectLock::Mode::none) {
    const std::string period = lock.years != 0 ? xml_element("Years", std::to_string(lock.years))
                                               : xml_element("Days", std::to_string(lock.days));
    inner += fmt::format("<Rule><DefaultRetention>{}{}</DefaultRetention></Rule>",
                         xml_element("Mode", lock.mode == ObjectLock::Mode::governance ? "GOVERNANCE" : "COMPLIANCE"),
                         period);
  }
  return xml_root("ObjectLockConfiguration", inner);
}

void Lifecycle::set(LifecycleRule rule) {
  const auto old = std::find_if(rules.begin(), rules.end(), [&](const auto& other) { return other.id == rule.id; });
  if (old == rules.end()) {
    rules.push_back(std::move(rule));
  } else {
    *old = std::move(rule);
  }
}

Result<Lifecycle> parse_lifecycle(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "LifecycleConfiguration"));
  Lifecycle lifecycle;
  for (const auto& child : root.children()) {
    if (local_name(child) != "Rule") return misplaced(child, "not a rule");
    if (lifecycle.rules.size() == kRulesMax) return misplaced(child, "more than 1,000 rules");
    lifecycle.rules.push_back(TRY(rule_of(child)));
  }
  return lifecycle;
}

std::string format_lifecycle(const Lifecycle& lifecycle) {
  std::string rules;
  for (const auto& rule : lifecycle.rules) rules += rule_xml(rule);
  return xml_root("LifecycleConfiguration", rules);
}

Result<Encryption> parse_encryption(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "ServerSideEncryptionConfiguration"));
  const auto rule = child_of(root, "Rule");
  const auto wanted = child_of(rule, "ApplyServerSideEncryptionByDefault");
  Encryption encryption;
  encryption.algorithm = child_text(wanted, "SSEAlgorithm");
  encryption.kms_key = child_text(wanted, "KMSMasterKeyID");
  if (encryption.algorithm.empty()) return misplaced(root, "no SSEAlgorithm");
  return encryption;
}

std::string format_encryption(const Encryption& encryption) {
  const std::string key = encryption.kms_key.empty() ? "" : xml_element("KMSMasterKeyID", encryption.kms_key);
  return xml_root(
      "ServerSideEncryptionConfiguration",
      fmt::format("<Rule><ApplyServerSideEncryptionByDefault>{}{}</ApplyServerSideEncryptionByDefault></Rule>",
                  xml_element("SSEAlgorithm", encryption.algorithm), key));
}

Result<Tags> parse_tagging(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "Tagging"));
  Tags tags;
  for (const auto& child : child_of(root, "TagSet").children()) {
    if (local_name(child) != "Tag") return misplaced(child, "not a tag");
    if (tags.size() == kTagsMax) return misplaced(child, "more than 50 tags");
    tags.emplace_back(child_text(child, "Key"), child_text(child, "Value"));
  }
  return tags;
}

std::string format_tagging(const Tags& tags) {
  std::string inner;
  for (const auto& [key, value] : tags)
    inner += fmt::format("<Tag>{}{}</Tag>", xml_element("Key", key), xml_element("Value", value));
  return xml_root("Tagging", fmt::format("<TagSet>{}</TagSet>", inner));
}

Result<Logging> parse_logging(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "BucketLoggingStatus"));
  const auto enabled = child_of(root, "LoggingEnabled");
  Logging logging;
  if (!enabled) return logging;
  logging.enabled = true;
  logging.bucket = child_text(enabled, "TargetBucket");
  logging.prefix = child_text(enabled, "TargetPrefix");
  if (logging.bucket.empty()) return misplaced(enabled, "no TargetBucket");
  return logging;
}

std::string format_logging(const Logging& logging) {
  if (!logging.enabled) return xml_root("BucketLoggingStatus", "");
  return xml_root("BucketLoggingStatus",
                  fmt::format("<LoggingEnabled>{}{}</LoggingEnabled>", xml_element("TargetBucket", logging.bucket),
                              xml_element("TargetPrefix", logging.prefix)));
}

Result<bool> parse_policy_status(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "PolicyStatus"));
  const auto text = child_of(root, "IsPublic");
  if (!text) return misplaced(root, "no IsPublic");
  return child_flag(root, "IsPublic");
}

Result<std::string> parse_location(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(document_of(document, xml, "LocationConstraint"));
  return std::string(root.text().get());
}

}  // namespace enclave::cloud
