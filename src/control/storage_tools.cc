#include "control/storage_tools.h"

#include <array>

#include "base/encoding.h"
#include "cloud/s3_xml.h"
#include "crypto/md5.h"

namespace enclave::control {

using cloud::S3Answer;
using cloud::S3Bucket;
using cloud::S3Request;

namespace {

constexpr std::string_view kPrefix = "enclave-canary/";
constexpr std::string_view kKept = "before\n";
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLockSeconds = 600;

}  // namespace

std::vector<Subject> log_bucket_only(const pipeline::Config& config) {
  if (config.storage.is_file()) return {};
  return {{"bucket", config.log_bucket()}};
}

std::vector<Subject> all_buckets(const pipeline::Config& config) {
  std::vector<Subject> subjects;
  if (config.storage.is_file()) return subjects;
  for (const auto& bucket : config.buckets) subjects.push_back({"bucket", bucket.name});
  if (config.bucket(config.log_bucket()) == nullptr) subjects.push_back({"bucket", config.log_bucket()});
  return subjects;
}

pipeline::BucketConfig wanted_bucket(const pipeline::Config& config, const std::string& name) {
  if (const auto* bucket = config.bucket(name)) return *bucket;
  pipeline::BucketConfig unnamed;
  unnamed.name = name;
  unnamed.purpose = "logs";
  unnamed.lock = "none";
  return unnamed;
}

bool is_log_bucket(const pipeline::Config& config, const std::string& name) { return name == config.log_bucket(); }

std::uint64_t days_of(Nanoseconds duration) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::days>(duration).count());
}

void add(Facts& facts, std::string_view name, std::string_view value, std::string_view evidence) {
  facts.all.push_back({std::string(name), std::string(value), std::string(evidence.substr(0, kEvidenceBytesMax))});
}

Result<S3Bucket*> our_bucket(Reach& reach, const Subject& subject, Facts& facts) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  switch (TRY(bucket->ownership())) {
    case cloud::Ownership::ours:
      add(facts, "bucket", "ours");
      return bucket;
    case cloud::Ownership::absent:
      add(facts, "bucket", "absent");
      break;
    case cloud::Ownership::others:
      add(facts, "bucket", "others");
      break;
  }
  return nullptr;
}

bool is_ours(const Facts& facts) { return facts.value("bucket") == "ours"; }
bool is_others(const Facts& facts) { return facts.value("bucket") == "others"; }

std::optional<Finding> judge_ownership(const Facts& facts) {
  if (is_ours(facts)) return std::nullopt;
  Finding finding;
  finding.state = State::fail;
  finding.expected = "a bucket of this account";
  if (is_others(facts)) {
    finding.found = "another account has a bucket of this name";
    finding.remedy = "choose another name in enclave.yaml";
  } else {
    finding.found = "the bucket does not exist";
  }
  return finding;
}

Result<std::string> read_setting(S3Bucket& bucket, cloud::Setting setting, bool* known) {
  auto document = bucket.read(setting);
  if (document) return document;
  if (document.error().fault() == Fault::absent) return std::string();
  if (document.error().fault() == Fault::unsupported && known != nullptr) {
    *known = false;
    return std::string();
  }
  return document;
}

Result<void> put_back(Reach& reach, S3Bucket& bucket, cloud::Setting setting, std::string_view document) {
  if (!document.empty()) return bucket.write(setting, document);
  const auto* capabilities = TRY(reach.storage.capabilities());
  std::string_view name = cloud::query_of(setting);
  if (setting == cloud::Setting::public_access_block) name = "public_access_block";
  return bucket.remove(setting, capabilities->works(fmt::format("delete_setting.{}", name)));
}

std::string keep_document(std::string_view document) { return std::string(kKept) + std::string(document); }

Result<std::string> kept_document(const Change& change) {
  if (!change.undo.starts_with(kKept))
    return Error{Fault::corrupt, "what was kept of \"{}\" cannot be read", change.what};
  return change.undo.substr(kKept.size());
}

Result<CanaryObjects> CanaryObjects::open(Reach& reach, S3Bucket& owner) {
  bool known = true;
  const std::string document = TRY(read_setting(owner, cloud::Setting::object_lock, &known));
  const bool locked = !document.empty() && TRY(cloud::parse_object_lock(document)).enabled;
  return CanaryObjects(reach.world, owner, locked);
}

CanaryObjects::~CanaryObjects() { clean_up(); }

std::string CanaryObjects::new_key() {
  std::array<std::uint8_t, 8> bytes{};
  world_.random.fill(bytes);
  keys_.push_back(std::string(kPrefix) + to_hex(bytes_of(bytes)));
  return keys_.back();
}

Result<S3Answer> CanaryObjects::put(const std::string& key, std::string_view body, const cloud::Pairs& headers) {
  if (!locked_) return owner_->ask({.method = "PUT", .key = key, .headers = headers, .body = body});
  const std::int64_t until = world_.clock.wall_ns() / kSecond + kLockSeconds;
  return put_held(key, body, "GOVERNANCE", format_time(until * kSecond).substr(0, 19) + "Z", headers);
}

Result<S3Answer> CanaryObjects::put_held(const std::string& key, std::string_view body, std::string_view mode,
                                         std::string_view until, cloud::Pairs headers) {
  headers.emplace_back("x-amz-object-lock-mode", mode);
  headers.emplace_back("x-amz-object-lock-retain-until-date", until);
  headers.emplace_back("content-md5", to_base64(TRY(crypto::md5(body))));
  return owner_->ask({.method = "PUT", .key = key, .headers = std::move(headers), .body = body});
}

S3Request CanaryObjects::attempt_to_write(const std::string& key) const {
  if (locked_) return {.method = "POST", .key = key, .query = {{"uploads", ""}}};
  return {.method = "PUT", .key = key, .body = "canary"};
}

// Without versions or uploads of these keys there is nothing to do, and nothing is said: the trial has its result.
void CanaryObjects::clean_up() {
  if (owner_ == nullptr) return;
  for (const auto& key : keys_) {
    const S3Request list{
        .method = "GET", .query = {{"prefix", key}, {"versions", ""}}, .response_bytes_max = cloud::kListBytesMax};
    const auto listed = owner_->ask(list);
    if (!listed || !listed->good()) continue;
    const auto versions = cloud::parse_versions(listed->response.body);
    if (!versions) continue;
    for (const auto& entry : versions->entries) {
      S3Request remove{.method = "DELETE", .key = entry.key};
      if (!entry.version.empty()) remove.query = {{"versionId", entry.version}};
      if (locked_) remove.headers = {{"x-amz-bypass-governance-retention", "true"}};
      (void)owner_->ask(remove);
    }
  }
}

Trial trial_of(std::string_view tried, std::string_view expected, std::string_view found, State state,
               std::string_view evidence) {
  return {std::string(tried), std::string(expected), std::string(found), state,
          std::string(evidence.substr(0, kEvidenceBytesMax))};
}

Trial must_be_refused(std::string_view tried, const Result<S3Answer>& answer) {
  if (!answer) return trial_of(tried, "refused", answer.error().text(), State::inconclusive);
  const int status = answer->response.status;
  State state = State::inconclusive;
  if (answer->good()) state = State::fail;
  if (status >= 400 && status < 500) state = State::pass;
  return trial_of(tried, "refused", answer->outcome(), state, answer->evidence());
}

Trial must_work(std::string_view tried, const Result<S3Answer>& answer) {
  if (!answer) return trial_of(tried, "allowed", answer.error().text(), State::inconclusive);
  return trial_of(tried, "allowed", answer->outcome(), answer->good() ? State::pass : State::fail, answer->evidence());
}

S3Request request_of(std::string_view method, std::string_view key, cloud::Pairs query) {
  return {.method = std::string(method), .key = std::string(key), .query = std::move(query)};
}

}  // namespace enclave::control
