#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"

/// What a DELETE of a sub-resource really deletes. On many servers, one that they do not know is a DELETE of the
/// bucket.
namespace enclave::cloud::probing {
namespace {

// Denies what nobody asks for.
std::string harmless_policy(const Canary& canary) {
  return fmt::format(
      "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"EnclaveCanary\",\"Effect\":\"Deny\",\"Principal\":\"*\","
      "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/enclave-none/*\"}}]}}",
      canary.name);
}

struct DeleteProbe {
  std::string_view id, title, query;
  std::string (*document)(const Canary& canary);
};

constexpr DeleteProbe kDeletes[] = {
    {"delete_setting.policy", "DELETE ?policy leaves the bucket", "policy", harmless_policy},
    {"delete_setting.lifecycle", "DELETE ?lifecycle leaves the bucket", "lifecycle",
     [](const Canary&) { return canary_lifecycle(30); }},
    {"delete_setting.tagging", "DELETE ?tagging leaves the bucket", "tagging",
     [](const Canary&) {
       return format_tagging({{"enclave-canary", "yes"}});
     }},
    {"delete_setting.encryption", "DELETE ?encryption leaves the bucket", "encryption",
     [](const Canary&) {
       return format_encryption({"AES256", ""});
     }},
    {"delete_setting.public_access_block", "DELETE ?publicAccessBlock leaves the bucket", "publicAccessBlock",
     [](const Canary&) {
       return format_public_access_block({true, true, true, true});
     }},
};

// Gone, or not to be told: then nobody must rely on it.
bool still_there(Canary& canary, Trace& trace) {
  if (trace.ask(*canary.owner, plain_request("HEAD")).good()) return true;
  trace.say("the bucket itself is gone");
  return false;
}

Support try_delete(Canary& canary, const DeleteProbe& probe, Trace& trace) {
  const std::string document = probe.document(canary);
  const auto set = trace.ask(*canary.owner, put_setting(probe.query, document));
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
