#include "cloud/capability_probe.h"

/// Settings that are proven by reading them back: what a server does by them shows only after days.
namespace enclave::cloud::probing {
namespace {

struct SettingProbe {
  std::string_view id, title, query, root, document, must_show;
};

constexpr SettingProbe kSettings[] = {
    {"lifecycle", "lifecycle: a rule for old versions is kept and shown", "lifecycle", "LifecycleConfiguration",
     "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>enclave-canary</ID><Filter>"
     "<Prefix>enclave-none/</Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>30"
     "</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>",
     "<NoncurrentDays>30<"},
    {"lifecycle.abort_multipart", "lifecycle: a rule for unfinished uploads is kept and shown", "lifecycle",
     "LifecycleConfiguration",
     "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>enclave-canary</ID><Filter>"
     "<Prefix>enclave-none/</Prefix></Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload>"
     "<DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>",
     "<DaysAfterInitiation>7<"},
    {"tagging", "bucket tags are kept and shown", "tagging", "Tagging",
     "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>enclave-canary</Key><Value>yes"
     "</Value></Tag></TagSet></Tagging>",
     "enclave-canary"},
};

Support try_setting(Canary& canary, const SettingProbe& setting, Trace& trace) {
  const auto set = trace.ask(*canary.owner, put_setting(setting.query, setting.document));
  if (!set.good()) return support_of(set);
  const auto shown = trace.ask(*canary.owner, sub_request("GET", setting.query));
  const bool kept = holds(shown, setting.root) && shown.response.body.find(setting.must_show) != std::string::npos;
  return kept ? Support::works : Support::accepted_not_enforced;
}

// A server that knows logging and wants rights for its writer first says so with a code of its own.
Support try_logging(Canary& canary, Trace& trace) {
  const std::string document = fmt::format(
      "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LoggingEnabled><TargetBucket>{}"
      "</TargetBucket><TargetPrefix>access/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
      canary.name);
  const auto set = trace.ask(*canary.owner, put_setting("logging", document));
  if (set.error.code == "InvalidTargetBucketForLogging") return Support::refused;
  if (!set.good()) return support_of(set);
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "logging"));
  (void)trace.ask(*canary.owner, put_setting("logging", "<BucketLoggingStatus/>"), "off again");
  const bool kept = shown.response.body.find("<TargetBucket>") != std::string::npos;
  trace.say("that records arrive shows only hours later");
  return kept ? Support::works : Support::accepted_not_enforced;
}

Support try_notification(Canary& canary, Trace& trace) {
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "notification"));
  if (!shown.good()) return support_of(shown);
  if (!holds(shown, "NotificationConfiguration")) return Support::absent;
  const auto set = trace.ask(
      *canary.owner,
      put_setting("notification", "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"));
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
