#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"

/// Object lock, on a canary bucket of its own.
namespace enclave::cloud::probing {
namespace {

constexpr std::int64_t kDay = 86'400;

struct Locked {
  S3Answer put;
  std::string version;
};

Locked put_locked(Canary& canary, std::string_view key, std::string_view mode, std::int64_t until, Trace& trace) {
  S3Request request = plain_request("PUT", key, "canary");
  if (!mode.empty())
    request.headers = {{"x-amz-object-lock-mode", std::string(mode)},
                       {"x-amz-object-lock-retain-until-date", iso_time(until)}};
  // Object lock is one of the requests that many servers take only with the body's MD5.
  const auto md5 = put_setting("", request.body).headers;
  request.headers.insert(request.headers.end(), md5.begin(), md5.end());
  Locked locked{trace.ask(*canary.owner, request,
                          mode.empty() ? "default retention" : fmt::format("{} until {}", mode, iso_time(until))),
                {}};
  locked.version = locked.put.response.header("x-amz-version-id");
  return locked;
}

S3Answer delete_version(Canary& canary, std::string_view key, const Locked& locked, bool bypass, Trace& trace) {
  S3Request request{"DELETE", std::string(key), {{"versionId", locked.version}}};
  if (bypass) request.headers = {{"x-amz-bypass-governance-retention", "true"}};
  return trace.ask(*canary.owner, request, bypass ? "with bypass" : "");
}

Support try_lock(const Prober& prober, Canary& canary, Trace& trace) {
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "object-lock"));
  if (!holds(shown, "ObjectLockConfiguration")) {
    trace.say("the bucket was asked for with object lock and has none");
    return Support::accepted_not_enforced;
  }
  const std::int64_t now = prober.server_seconds(shown);
  const auto locked = put_locked(canary, "governance", "GOVERNANCE", now + kDay, trace);
  if (!locked.put.good() || locked.version.empty()) return support_of(locked.put);
  const auto removed = delete_version(canary, "governance", locked, false, trace);
  if (removed.good()) return Support::accepted_not_enforced;
  (void)delete_version(canary, "governance", locked, true, trace);
  return removed.response.status == 403 ? Support::works : Support::unknown;
}

Support try_compliance(const Prober& prober, Canary& canary, Trace& trace) {
  const auto shown = trace.ask(*canary.owner, plain_request("HEAD"));
  const std::int64_t now = prober.server_seconds(shown);
  const auto locked = put_locked(canary, "compliance", "COMPLIANCE", now + kComplianceSeconds, trace);
  if (!locked.put.good() || locked.version.empty()) return support_of(locked.put);
  const auto removed = delete_version(canary, "compliance", locked, true, trace);
  if (removed.good()) return Support::accepted_not_enforced;
  return removed.response.status == 403 ? Support::works : Support::unknown;
}

Support try_default(Canary& canary, Trace& trace) {
  const std::string document = format_object_lock({.enabled = true, .mode = ObjectLock::Mode::governance, .days = 1});
  const auto set = trace.ask(*canary.owner, put_setting("object-lock", document));
  if (!set.good()) return support_of(set);
  const auto locked = put_locked(canary, "default", "", 0, trace);
  if (!locked.put.good() || locked.version.empty()) return support_of(locked.put);
  const auto removed = delete_version(canary, "default", locked, false, trace);
  if (removed.good()) return Support::accepted_not_enforced;
  (void)delete_version(canary, "default", locked, true, trace);
  return removed.response.status == 403 ? Support::works : Support::unknown;
}

constexpr std::string_view kTitle = "object lock: a GOVERNANCE version cannot be deleted";
constexpr std::string_view kComplianceTitle = "object lock: a COMPLIANCE version cannot be deleted, bypass or not";
constexpr std::string_view kDefaultTitle = "object lock: default retention holds new versions";

}  // namespace

void probe_lock(Prober& prober) {
  const auto canary = prober.make_canary({.object_lock = true, .location = {}});
  if (!canary) {
    const bool known = canary.error().fault() == Fault::denied;
    prober.without("object_lock", kTitle, known ? Support::refused : Support::absent, canary.error().text());
  } else {
    prober.probe("object_lock", kTitle, [&](Trace& trace) { return try_lock(prober, **canary, trace); });
  }
  const Support lock = prober.of("object_lock");
  if (lock != Support::works) {
    prober.without("object_lock.compliance", kComplianceTitle, lock, "there is no object lock that works");
    prober.without("object_lock.default_retention", kDefaultTitle, lock, "there is no object lock that works");
    return;
  }
  prober.probe("object_lock.compliance", kComplianceTitle,
               [&](Trace& trace) { return try_compliance(prober, **canary, trace); });
  prober.probe("object_lock.default_retention", kDefaultTitle,
               [&](Trace& trace) { return try_default(**canary, trace); });
}

}  // namespace enclave::cloud::probing
