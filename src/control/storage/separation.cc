#include <algorithm>

#include "cloud/s3_objects.h"
#include "control/storage_policy.h"
#include "control/storage_tools.h"

namespace enclave::control {
namespace {

using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {{kNist, "AC-5"}, {kNist, "AC-6"}, {kNist, "AU-9(4)"}, {kFsbp, "S3.6"}};
// The others change the same policy, and each change builds on the one before.
constexpr std::string_view kAfter[] = {"storage.exists", "storage.private", "storage.tls_only"};
constexpr std::string_view kMaySid = "EnclaveWriterMayPut";
constexpr std::string_view kOnlySid = "EnclaveWriterOnlyPuts";

// Who the server says this identity is: the owner of its list of buckets.
Result<std::string> id_of(Reach& reach, const Subject& subject, As as) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name, as));
  std::string id = TRY(cloud::list_buckets(*bucket)).owner;
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.$@").find(c) != std::string_view::npos;
  });
  // It becomes a part of the policy.
  if (id.empty() || id.size() > 256 || !plain) return Error{Fault::corrupt, "the server does not say who it is"};
  return id;
}

// Ceph names users of a tenant "tenant$user".
std::string ceph_principal(const std::string& id) {
  const auto dollar = id.find('$');
  const std::string tenant = dollar == std::string::npos ? "" : id.substr(0, dollar);
  return fmt::format("arn:aws:iam::{}:user/{}", tenant, dollar == std::string::npos ? id : id.substr(dollar + 1));
}

std::string may_statement(std::string_view bucket, std::string_view principal) {
  return fmt::format(
      "{{\"Sid\":\"{}\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":[\"{}\"]}},\"Action\":[\"s3:PutObject\"],"
      "\"Resource\":[\"arn:aws:s3:::{}/*\"]}}",
      kMaySid, principal, bucket);
}

// By name rather than by NotAction, which servers read differently.
std::string only_statement(std::string_view bucket, std::string_view principal) {
  return fmt::format(
      "{{\"Sid\":\"{}\",\"Effect\":\"Deny\",\"Principal\":{{\"AWS\":[\"{}\"]}},\"Action\":[\"s3:Get*\",\"s3:List*\","
      "\"s3:Delete*\",\"s3:PutBucket*\",\"s3:PutObjectAcl\",\"s3:PutObjectVersionAcl\",\"s3:PutObjectRetention\","
      "\"s3:PutObjectLegalHold\",\"s3:PutLifecycleConfiguration\",\"s3:BypassGovernanceRetention\"],"
      "\"Resource\":[\"arn:aws:s3:::{}\",\"arn:aws:s3:::{}/*\"]}}",
      kOnlySid, principal, bucket, bucket);
}

Result<std::string> with_writer(std::string_view document, std::string_view bucket, std::string_view principal) {
  const std::string first = TRY(with_statement(document, may_statement(bucket, principal)));
  return with_statement(first, only_statement(bucket, principal));
}

bool holds_writer(const cloud::BucketPolicy& policy, std::string_view bucket, std::string_view principal) {
  const auto* may = policy.find(kMaySid);
  const auto* only = policy.find(kOnlySid);
  return may != nullptr && only != nullptr && may->json == may_statement(bucket, principal) &&
         only->json == only_statement(bucket, principal);
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  if (reach.config.storage.writer.empty()) {
    add(facts, "writer", "");
    return facts;
  }
  const std::string writer = TRY(id_of(reach, subject, As::writer));
  const std::string owner = TRY(id_of(reach, subject, As::owner));
  const auto* capabilities = TRY(reach.storage.capabilities());
  add(facts, "writer", writer);
  add(facts, "owner", owner);
  add(facts, "policies", cloud::name_of(capabilities->of("policy")));
  const bool known = writer != owner && capabilities->works("policy") && capabilities->server == "Ceph RGW";
  const std::string principal = known ? ceph_principal(writer) : "";
  add(facts, "principal", principal);
  if (bucket == nullptr || !capabilities->works("policy")) return facts;
  const std::string document = TRY(read_setting(*bucket, Setting::policy));
  add(facts, "policy", document);
  const bool there = !principal.empty() && holds_writer(TRY(policy_of(document)), subject.name, principal);
  add(facts, "statements", there ? "in force" : "missing", document);
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  Finding finding{State::inconclusive, "who writes the log may only put", "", "", ""};
  const std::string_view writer = facts.value("writer");
  if (writer.empty()) {
    finding.found = "no second identity is configured";
    finding.remedy =
        "make a second user that writes the log, and name its keys in enclave.yaml as storage.writer: file:PATH";
    return finding;
  }
  if (writer == facts.value("owner")) {
    finding.state = State::fail;
    finding.found = fmt::format("storage.writer is the same user as the owner, {}", writer);
    finding.remedy = "make a second user on the server; keys of the same user have the same rights";
    return finding;
  }
  if (auto missing = judge_ownership(facts)) return *missing;
  finding.state = State::pass;
  if (facts.value("principal").empty()) {
    finding.found =
        fmt::format("the writer is {}; its rights are set outside of the bucket, so the trial decides", writer);
    return finding;
  }
  const Fact& statements = *facts.find("statements");
  finding.found = fmt::format("the writer is {}; statements of the policy: {}", writer, statements.value);
  finding.evidence = statements.evidence;
  if (statements.value != "in force") finding.state = State::fail;
  return finding;
}

std::string step_of(const Subject& subject) {
  return fmt::format("policy of {}: the writer may only put", subject.name);
}

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  const std::string_view principal = facts.value("principal");
  if (is_others(facts) || principal.empty() || facts.value("statements") == "in force") return {};
  const std::string before(facts.value("policy"));
  const auto after = with_writer(before, subject.name, principal);
  if (!after) return {};
  return {{step_of(subject), show_policy(before), show_policy(*after), "", true}};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  const std::string_view principal = facts.value("principal");
  if (principal.empty()) return {};
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string before = TRY(read_setting(*bucket, Setting::policy));
  const std::string after = TRY(with_writer(before, subject.name, principal));
  TRY(keep({step_of(subject), keep_document(before)}));
  return bucket->write(Setting::policy, after);
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  return put_back(reach, *bucket, Setting::policy, TRY(kept_document(change)));
}

// An upload that is begun needs the right to put, and leaves nothing that retention would hold.
Trial begin_to_put(S3Bucket& owner, S3Bucket& writer, const std::string& key) {
  Trial trial = must_work("the writer begins an upload", writer.ask(request_of("POST", key, {{"uploads", ""}})));
  if (const auto uploads = cloud::list_uploads(owner, key, 10))
    for (const auto& upload : *uploads) (void)cloud::abort_upload(owner, {upload.key, upload.id});
  return trial;
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  std::vector<Trial> trials;
  if (reach.config.storage.writer.empty()) return trials;
  S3Bucket* owner = TRY(reach.storage.bucket(subject.name));
  S3Bucket* writer = TRY(reach.storage.bucket(subject.name, As::writer));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *owner));
  const std::string key = canaries.new_key();
  const auto put = canaries.put(key, "canary");
  trials.push_back(must_work("the owner puts a canary object", put));
  if (!put || !put->good()) return trials;
  const std::string version(put->response.header("x-amz-version-id"));
  trials.push_back(begin_to_put(*owner, *writer, canaries.new_key()));
  const auto refuse = [&](std::string_view what, const cloud::S3Request& request) {
    trials.push_back(must_be_refused(fmt::format("the writer {}", what), writer->ask(request)));
  };
  refuse("reads the canary", request_of("GET", key));
  refuse("lists the bucket", request_of("GET"));
  if (!version.empty()) refuse("deletes its version", request_of("DELETE", key, {{"versionId", version}}));
  refuse("deletes the canary", request_of("DELETE", key));
  refuse("reads the policy", request_of("GET", "", {{"policy", ""}}));
  auto policy = request_of("PUT", "", {{"policy", ""}});
  const std::string now = TRY(read_setting(*owner, Setting::policy));
  // What is there already: should it be accepted, nothing changes.
  policy.body = now;
  if (!now.empty()) refuse("writes the policy", policy);
  auto acl = request_of("PUT", "", {{"acl", ""}});
  acl.headers = {{"x-amz-acl", "private"}};
  refuse("writes the ACL", acl);
  return trials;
}

}  // namespace

extern const Control control_separation;
const Control control_separation{
    .id = "storage.separation",
    .title = "The identity that writes the log can do nothing else with it.",
    .why =
        "The writer's keys lie on the machine that is logged: who takes it over must not read, change or delete "
        "what it has written.",
    .severity = Severity::high,
    .standards = kStandards,
    .after = kAfter,
    .subjects = log_bucket_only,
    .observe = observe,
    .judge = judge,
    .plan = plan,
    .enforce = enforce,
    .undo = undo,
    .prove = prove};

}  // namespace enclave::control
