#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/encoding.h"
#include "cloud/capability_probe.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_xml.h"
#include "crypto/md5.h"
#include "io/host.h"

namespace enclave::cloud {

Result<bool> remove_canary(S3Bucket& bucket) {
  if (!bucket.name().starts_with(kCanaryPrefix)) return Error{Fault::invalid, "{} is no canary", bucket.name()};
  for (int page = 0; page < 100; ++page) {
    S3Request list{"GET", "", {{"versions", ""}}, {}, {}, kListBytesMax, true};
    const S3Answer listed = TRY(bucket.ask(list));
    // A list may say so of a bucket that is just made; its DELETE is sent all the same.
    if (listed.response.status == 404) break;
    const auto versions = listed.good() ? parse_versions(listed.response.body) : Result<ListPage>(ListPage{});
    if (!versions) return std::move(versions).error();
    std::size_t removed = 0;
    for (const auto& entry : versions->entries) {
      S3Request remove{"DELETE", entry.key, {}, {{"x-amz-bypass-governance-retention", "true"}}};
      if (!entry.version.empty()) remove.query = {{"versionId", entry.version}};
      removed += TRY(bucket.ask(remove)).good() ? 1 : 0;
    }
    if (versions->entries.empty() || removed == 0) break;
  }
  const S3Answer gone = TRY(bucket.ask({"DELETE"}));
  return gone.good() || gone.response.status == 404;
}

namespace probing {
namespace {

constexpr std::size_t kEvidenceMax = 4096;
constexpr int kLockSeconds = kComplianceSeconds + 4;

std::string new_name(World world) {
  std::array<std::uint8_t, 8> bytes{};
  world.random.fill(bytes);
  return std::string(kCanaryPrefix) + to_hex(bytes_of(bytes));
}

Result<std::unique_ptr<Canary>> open_canary(const ProbeReach& reach, const std::string& name) {
  auto canary = std::make_unique<Canary>();
  canary->name = name;
  canary->owner = TRY(reach.owner(name));
  if (reach.anonymous) canary->anonymous = TRY(reach.anonymous(name));
  if (!reach.plain_http) return canary;
  auto plain = reach.plain_http(name);
  if (plain) canary->plain_http = std::move(*plain);
  return canary;
}

}  // namespace

S3Answer Trace::ask(S3Bucket& bucket, const S3Request& request, std::string_view note) {
  auto answer = bucket.ask(request);
  S3Answer told;
  if (answer) {
    told = std::move(*answer);
  } else {
    told.request = fmt::format("{} {}", request.method, bucket.name());
    told.error.message = answer.error().text();
  }
  const std::string outcome = told.response.status == 0 ? "no answer: " + told.error.message : told.outcome();
  say(fmt::format("{}{}: {}", told.request, note.empty() ? "" : fmt::format(" ({})", note), outcome));
  return told;
}

void Trace::say(std::string_view line) {
  if (text_.size() + line.size() + 1 > kEvidenceMax) return;
  if (!text_.empty()) text_ += '\n';
  text_ += line;
}

S3Request put_setting(std::string_view query, std::string_view document) {
  S3Request request{"PUT", "", {{std::string(query), ""}}, {}, document};
  // Where there is no MD5, the server says whether it would have wanted one.
  if (const auto digest = crypto::md5(document)) request.headers.emplace_back("content-md5", to_base64(*digest));
  return request;
}

S3Request plain_request(std::string_view method, std::string_view key, std::string_view body) {
  return {std::string(method), std::string(key), {}, {}, body};
}

S3Request sub_request(std::string_view method, std::string_view query, std::string_view key) {
  return {std::string(method), std::string(key), {{std::string(query), ""}}};
}

std::string canary_lifecycle(std::optional<std::uint32_t> noncurrent_days,
                             std::optional<std::uint32_t> abort_upload_days) {
  LifecycleRule rule;
  rule.id = "enclave-canary";
  rule.prefix = "enclave-none/";
  rule.noncurrent_days = noncurrent_days;
  rule.abort_upload_days = abort_upload_days;
  Lifecycle lifecycle;
  lifecycle.set(std::move(rule));
  return format_lifecycle(lifecycle);
}

Support support_of(const S3Answer& answer) {
  if (answer.good()) return Support::works;
  switch (answer.response.status) {
    case 400:
      // A document that other servers take: this one does not know what it is.
      return answer.error.code == "AccessDenied" ? Support::refused : Support::absent;
    case 404:
    case 405:
    case 501:
      return Support::absent;
    case 401:
    case 403:
    case 409:
      return Support::refused;
    default:
      return Support::unknown;
  }
}

bool holds(const S3Answer& answer, std::string_view root, std::string_view other_root) {
  if (!answer.good()) return false;
  const std::string found = root_name(answer.response.body);
  return !found.empty() && (found == root || found == other_root);
}

std::string iso_time(std::int64_t seconds) { return format_time(seconds * 1'000'000'000).substr(0, 19) + "Z"; }

Prober::~Prober() { clean_up(); }

Result<Canary*> Prober::make_canary(const NewBucket& wanted) {
  auto canary = TRY(open_canary(reach_, new_name(world_)));
  TRY(canary->owner->create(wanted));
  canaries_.push_back(std::move(canary));
  return canaries_.back().get();
}

Result<void> Prober::revive(Canary& canary) {
  auto another = TRY(open_canary(reach_, new_name(world_)));
  TRY(another->owner->create({}));
  canary = std::move(*another);
  return {};
}

void Prober::probe(std::string_view id, std::string_view title, const std::function<Support(Trace&)>& attempt) {
  if (progress_) progress_(title);
  Trace trace;
  const Support support = attempt(trace);
  found_.all.push_back({std::string(id), std::string(title), support, trace.text()});
}

void Prober::without(std::string_view id, std::string_view title, Support support, std::string_view reason) {
  found_.all.push_back({std::string(id), std::string(title), support, std::string(reason)});
}

std::int64_t Prober::server_seconds(const S3Answer& answer) const {
  const auto theirs = parse_http_date(answer.response.header("date"));
  return (theirs ? *theirs : world_.clock.wall_ns()) / 1'000'000'000;
}

void Prober::clean_up() {
  const auto remove = [](const std::unique_ptr<Canary>& canary) {
    const auto removed = remove_canary(*canary->owner);
    return removed && *removed;
  };
  std::erase_if(canaries_, remove);
  if (!canaries_.empty()) {
    if (progress_) progress_("waiting until the lock of a canary ends");
    auto waiter = io::Waiter::make();
    for (int i = 0; waiter && i < kLockSeconds && !canaries_.empty(); ++i) {
      (void)waiter->wait({}, std::chrono::seconds(1));
      std::erase_if(canaries_, remove);
    }
  }
  for (const auto& canary : canaries_) found_.left.push_back(canary->name);
  canaries_.clear();
}

}  // namespace probing
}  // namespace enclave::cloud
