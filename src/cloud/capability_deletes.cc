#include "cloud/capability_probe.h"

/// What a DELETE of a sub-resource really deletes. On many servers, one that they do not know is a DELETE of the
/// bucket.
namespace enclave::cloud::probing {
namespace {

struct DeleteProbe {
  std::string_view id, title, query, document;
};

constexpr DeleteProbe kDeletes[] = {
    {"delete_setting.policy", "DELETE ?policy leaves the bucket", "policy", ""},
    {"delete_setting.lifecycle", "DELETE ?lifecycle leaves the bucket", "lifecycle",
     "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>enclave-canary</ID><Filter>"
     "<Prefix>enclave-none/</Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>30"
     "</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"},
    {"delete_setting.tagging", "DELETE ?tagging leaves the bucket", "tagging",
     "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>enclave-canary</Key><Value>yes"
     "</Value></Tag></TagSet></Tagging>"},
    {"delete_setting.encryption", "DELETE ?encryption leaves the bucket", "encryption",
     "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>"
     "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
     "</Rule></ServerSideEncryptionConfiguration>"},
    {"delete_setting.public_access_block", "DELETE ?publicAccessBlock leaves the bucket", "publicAccessBlock",
     "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><BlockPublicAcls>true"
     "</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>"
     "<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"},
};

// Gone, or not to be told: then nobody must rely on it.
bool still_there(Canary& canary, Trace& trace) {
  if (trace.ask(*canary.owner, plain_request("HEAD")).good()) return true;
  trace.say("the bucket itself is gone");
  return false;
}

Support try_delete(Canary& canary, const DeleteProbe& probe, Trace& trace) {
  const std::string policy = fmt::format(
      "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"EnclaveCanary\",\"Effect\":\"Deny\",\"Principal\":\"*\","
      "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/enclave-none/*\"}}]}}",
      canary.name);
  const auto set = trace.ask(
      *canary.owner, put_setting(probe.query, probe.document.empty() ? std::string_view(policy) : probe.document));
  const auto removed = trace.ask(*canary.owner, sub_request("DELETE", probe.query), "on an empty canary bucket");
  if (!still_there(canary, trace)) return Support::absent;
  if (!set.good()) return support_of(set);
  return removed.good() ? Support::works : support_of(removed);
}

// Nothing is more dangerous than to be wrong here, so only a bucket that is still there counts as safe.
Support try_unknown(Canary& canary, Trace& trace) {
  const auto removed =
      trace.ask(*canary.owner, sub_request("DELETE", "enclave-canary"), "a sub-resource that no server knows");
  if (removed.response.status == 0) return Support::unknown;
  return still_there(canary, trace) ? Support::works : Support::absent;
}

}  // namespace

void probe_deletes(Prober& prober) {
  constexpr std::string_view kUnknownTitle = "DELETE of an unknown sub-resource leaves the bucket";
  const auto made = prober.make_canary({});
  Result<void> ready;
  if (!made) ready = made.error();
  bool gone = false;
  const auto attempt = [&](std::string_view id, std::string_view title, const auto& tried) {
    if (ready && std::exchange(gone, false)) ready = prober.revive(**made);
    if (!ready) return prober.without(id, title, Support::unknown, ready.error().text());
    prober.probe(id, title, tried);
    Trace after;
    gone = after.ask(*(*made)->owner, plain_request("HEAD")).response.status == 404;
  };
  for (const auto& probe : kDeletes)
    attempt(probe.id, probe.title, [&](Trace& trace) { return try_delete(**made, probe, trace); });
  attempt("unknown_delete_is_safe", kUnknownTitle, [&](Trace& trace) { return try_unknown(**made, trace); });
}

}  // namespace enclave::cloud::probing
