#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"
#include "cloud/xml_reader.h"

/// Settings that are proven by reading them back: what a server does by them shows only after days.
namespace enclave::cloud::probing {
namespace {

struct SettingProbe {
  std::string_view id, title, query, root, must_show;
  std::string (*document)();
};

constexpr SettingProbe kSettings[] = {
    {"lifecycle", "lifecycle: a rule for old versions is kept and shown", "lifecycle", "LifecycleConfiguration",
     "<NoncurrentDays>30<", [] { return canary_lifecycle(30); }},
    {"lifecycle.abort_multipart", "lifecycle: a rule for unfinished uploads is kept and shown", "lifecycle",
     "LifecycleConfiguration", "<DaysAfterInitiation>7<", [] { return canary_lifecycle({}, 7); }},
    {"tagging", "bucket tags are kept and shown", "tagging", "Tagging", "enclave-canary",
     [] {
       return format_tagging({{"enclave-canary", "yes"}});
     }},
};

Support try_setting(Canary& canary, const SettingProbe& setting, Trace& trace) {
  const std::string document = setting.document();
  const auto set = trace.ask(*canary.owner, put_setting(setting.query, document));
  if (!set.good()) return support_of(set);
  const auto shown = trace.ask(*canary.owner, sub_request("GET", setting.query));
  const bool kept = holds(shown, setting.root) && shown.response.body.find(setting.must_show) != std::string::npos;
  return kept ? Support::works : Support::accepted_not_enforced;
}

// A server that knows logging and wants rights for its writer first says so with a code of its own.
Support try_logging(Canary& canary, Trace& trace) {
  const std::string document = format_logging({true, canary.name, "access/"});
  const auto set = trace.ask(*canary.owner, put_setting("logging", document));
  if (set.error.code == "InvalidTargetBucketForLogging") return Support::refused;
  if (!set.good()) return support_of(set);
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "logging"));
  const std::string off = format_logging({});
  (void)trace.ask(*canary.owner, put_setting("logging", off), "off again");
  const bool kept = shown.response.body.find("<TargetBucket>") != std::string::npos;
  trace.say("that records arrive shows only hours later");
  return kept ? Support::works : Support::accepted_not_enforced;
}

Support try_notification(Canary& canary, Trace& trace) {
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "notification"));
  if (!shown.good()) return support_of(shown);
  if (!holds(shown, "NotificationConfiguration")) return Support::absent;
  const std::string none = xml_root("NotificationConfiguration", "");
  const auto set = trace.ask(*canary.owner, put_setting("notification", none));
  if (set.good()) return Support::works;
  trace.say("the server knows notifications; they may need a topic first");
  return Support::refused;
}

}  // namespace

void probe_settings(Prober& prober, Canary& canary) {
  for (const auto& setting : kSettings)
    prober.probe(setting.id, setting.title, [&](Trace& trace) { return try_setting(canary, setting, trace); });
  prober.probe("logging", "bucket logging is kept and shown", [&](Trace& trace) { return try_logging(canary, trace); });
  prober.probe("notification", "bucket notifications", [&](Trace& trace) { return try_notification(canary, trace); });
}

}  // namespace enclave::cloud::probing
