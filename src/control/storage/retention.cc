#include "cloud/s3_errors.h"
#include "control/storage_tools.h"
#include "io/host.h"

namespace enclave::control {
namespace {

using cloud::ObjectLock;
using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {
    {kNist, "AU-9"}, {kNist, "AU-9(2)"}, {kNist, "AU-11"}, {kNist, "SI-12"}, {kSecurityHub, "S3.15"}};
constexpr std::string_view kAfter[] = {"storage.exists"};
constexpr int kComplianceSeconds = 4;

bool is_wanted(const pipeline::BucketConfig& wanted) { return wanted.retain.count() > 0 && wanted.lock != "none"; }

// The log bucket also without `retain`: that nothing holds its objects should stand in the report.
std::vector<Subject> subjects(const pipeline::Config& config) {
  std::vector<Subject> all;
  for (auto& subject : all_buckets(config))
    if (is_log_bucket(config, subject.name) || is_wanted(wanted_bucket(config, subject.name))) all.push_back(subject);
  return all;
}

std::string text_of(const ObjectLock& lock) {
  if (!lock.enabled) return "no object lock";
  if (lock.mode == ObjectLock::Mode::none) return "object lock without default retention";
  return fmt::format("{} {} days", lock.mode == ObjectLock::Mode::compliance ? "COMPLIANCE" : "GOVERNANCE",
                     lock.retention_days());
}

ObjectLock wanted_lock(const pipeline::BucketConfig& wanted) {
  ObjectLock lock;
  lock.enabled = true;
  lock.mode = wanted.lock == "compliance" ? ObjectLock::Mode::compliance : ObjectLock::Mode::governance;
  lock.days = static_cast<std::uint32_t>(days_of(wanted.retain));
  return lock;
}

bool is_enough(const ObjectLock& found, const ObjectLock& wanted) {
  return found.enabled && found.mode >= wanted.mode && found.retention_days() >= wanted.retention_days();
}

Result<ObjectLock> read_lock(S3Bucket& bucket, std::string& document) {
  bool known = true;
  document = TRY(read_setting(bucket, Setting::object_lock, &known));
  if (document.empty()) return ObjectLock{};
  return cloud::parse_object_lock(document);
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  if (!is_wanted(wanted)) return facts;
  const auto* capabilities = TRY(reach.storage.capabilities());
  const bool possible = capabilities->works("object_lock.default_retention") &&
                        (wanted.lock != "compliance" || capabilities->works("object_lock.compliance"));
  add(facts, "possible", possible ? "yes" : cloud::name_of(capabilities->of("object_lock")));
  if (bucket == nullptr) return facts;
  std::string document;
  const ObjectLock found = TRY(read_lock(*bucket, document));
  add(facts, "lock", found.enabled ? "enabled" : "none");
  add(facts, "retention", text_of(found), document);
  add(facts, "enough", is_enough(found, wanted_lock(wanted)) ? "yes" : "no");
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  const auto wanted = wanted_bucket(config, subject.name);
  Finding finding{State::fail, "", std::string(facts.value("retention")), "", ""};
  if (!is_wanted(wanted)) {
    finding.state = State::not_applicable;
    finding.found = "enclave.yaml asks for no retention of this bucket (retain)";
    return finding;
  }
  finding.expected = "at least " + text_of(wanted_lock(wanted));
  const std::string_view possible = facts.value("possible");
  if (possible != "yes") {
    finding.found = fmt::format("this server has no object lock that holds ({})", possible);
    finding.remedy = "keep this bucket on a server with object lock; the sealed log still shows what is missing";
    return finding;
  }
  if (auto missing = judge_ownership(facts)) return *missing;
  finding.evidence = facts.find("retention")->evidence;
  if (facts.value("enough") == "yes") {
    finding.state = State::pass;
  } else if (facts.value("lock") == "none") {
    finding.remedy = fmt::format(
        "object lock comes with a new bucket only: name a new one in enclave.yaml ({}-locked, say), run enclave apply, "
        "copy what is in {} to it (aws s3 sync s3://{} s3://{}-locked), and remove the old one when the copy is "
        "verified",
        subject.name, subject.name, subject.name, subject.name);
  }
  return finding;
}

std::string step_of(const Subject& subject, const pipeline::BucketConfig& wanted) {
  return fmt::format("default retention of {}: {}", subject.name, text_of(wanted_lock(wanted)));
}

std::vector<Step> plan(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  const auto wanted = wanted_bucket(config, subject.name);
  if (!is_wanted(wanted) || is_others(facts) || facts.value("possible") != "yes") return {};
  if (facts.value("enough") == "yes" || facts.value("lock") == "none") return {};
  const bool compliance = wanted.lock == "compliance";
  return {{step_of(subject, wanted), std::string(facts.value("retention")), text_of(wanted_lock(wanted)),
           compliance ? "nobody, the owner included, can delete what is put from then on before its time is over" : "",
           true}};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts&, const Keep& keep) {
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  std::string before;
  const ObjectLock found = TRY(read_lock(*bucket, before));
  if (!found.enabled)
    return Error{Fault::conflict, "bucket {} has no object lock, and an existing bucket cannot be given one",
                 subject.name};
  TRY(keep({step_of(subject, wanted), keep_document(before)}));
  return bucket->write(Setting::object_lock, cloud::format_object_lock(wanted_lock(wanted)));
}

// New objects only: what is held already stays held.
Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const ObjectLock before = TRY(cloud::parse_object_lock(TRY(kept_document(change))));
  return bucket->write(Setting::object_lock, cloud::format_object_lock(before));
}

std::string retention_document(std::string_view mode, std::int64_t until_ns) {
  return fmt::format(
      "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode><RetainUntilDate>{}Z"
      "</RetainUntilDate></Retention>",
      mode, format_time(until_ns).substr(0, 19));
}

// Deletes it, and shortens its time to the next minute, without and, for COMPLIANCE, with the right to bypass.
void try_to_loosen(S3Bucket& bucket, const std::string& key, const std::string& version, std::string_view mode,
                   std::int64_t until_ns, std::vector<Trial>& trials) {
  const bool bypass = mode == "COMPLIANCE";
  auto remove = request_of("DELETE", key, {{"versionId", version}});
  if (bypass) remove.headers = {{"x-amz-bypass-governance-retention", "true"}};
  trials.push_back(
      must_be_refused(fmt::format("deleting a {} version{}", mode, bypass ? ", with bypass" : ""), bucket.ask(remove)));
  const std::string document = retention_document(mode, until_ns);
  auto shorten = request_of("PUT", key, {{"retention", ""}, {"versionId", version}});
  shorten.body = document;
  if (bypass) shorten.headers = {{"x-amz-bypass-governance-retention", "true"}};
  trials.push_back(
      must_be_refused(fmt::format("shortening its time{}", bypass ? ", with bypass" : ""), bucket.ask(shorten)));
}

Result<void> prove_compliance(Reach& reach, S3Bucket& bucket, CanaryObjects& canaries, std::vector<Trial>& trials) {
  const auto head = bucket.ask(request_of("HEAD"));
  if (!head) return head.error();
  const auto told = cloud::parse_http_date(head->response.header("date"));
  const std::int64_t now = told ? *told : reach.world.clock.wall_ns();
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::string key = canaries.new_key();
  const std::string until = format_time(now + kComplianceSeconds * kSecond).substr(0, 19) + "Z";
  const auto put = canaries.put_held(key, "canary", "COMPLIANCE", until);
  trials.push_back(must_work(fmt::format("putting a canary object held by COMPLIANCE until {}", until), put));
  if (!put || !put->good()) return {};
  const std::string version(put->response.header("x-amz-version-id"));
  try_to_loosen(bucket, key, version, "COMPLIANCE", now + kSecond, trials);
  // It can be removed when its time is over.
  auto waiter = TRY(io::Waiter::make());
  TRY(waiter.wait({}, std::chrono::seconds(kComplianceSeconds + 1)));
  return {};
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *bucket));
  std::vector<Trial> trials;
  const std::string key = canaries.new_key();
  const auto put = canaries.put(key, "canary");
  trials.push_back(must_work("putting a canary object held by GOVERNANCE", put));
  if (!put || !put->good()) return trials;
  const std::string version(put->response.header("x-amz-version-id"));
  if (!canaries.locked() || version.empty()) {
    auto remove = request_of("DELETE", key, {{"versionId", version}});
    if (version.empty()) remove.query.clear();
    trials.push_back(must_be_refused("deleting an object of this bucket", bucket->ask(remove)));
    return trials;
  }
  try_to_loosen(*bucket, key, version, "GOVERNANCE", reach.world.clock.wall_ns() + 60'000'000'000, trials);
  if (wanted.lock == "compliance") TRY(prove_compliance(reach, *bucket, canaries, trials));
  return trials;
}

}  // namespace

extern const Control control_retention;
const Control control_retention{
    .id = "storage.retention",
    .title = "What is kept for a time cannot be deleted before, by nobody.",
    .why = "Who gets hold of the keys deletes the log of what he did. A locked version outlives the keys.",
    .severity = Severity::high,
    .standards = kStandards,
    .after = kAfter,
    .subjects = subjects,
    .observe = observe,
    .judge = judge,
    .plan = plan,
    .enforce = enforce,
    .undo = undo,
    .prove = prove};

}  // namespace enclave::control
