#include "cloud/capability_probe.h"

/// Bucket policies, and which of their conditions really refuse plain HTTP. Every policy here is about reading one
/// object only: on a server that reads a condition in a way of its own, the owner can still take the policy away.
namespace enclave::cloud::probing {
namespace {

constexpr std::string_view kKey = "enclave-canary-policy";

std::string deny_get(const Canary& canary, std::string_view condition) {
  return fmt::format(
      "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"EnclaveCanary\",\"Effect\":\"Deny\","
      "\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/{}\"{}{}}}]}}",
      canary.name, kKey, condition.empty() ? "" : ",\"Condition\":", condition);
}

S3Answer get_plainly(Canary& canary, Trace& trace, bool forged) {
  S3Request request = plain_request("GET", kKey);
  if (forged) request.headers = {{"forwarded", "proto=https"}, {"x-forwarded-proto", "https"}};
  return trace.ask(*canary.plain_http, request, forged ? "forged X-Forwarded-Proto: https" : "plain HTTP");
}

void take_away(Canary& canary, Trace& trace) { (void)trace.ask(*canary.owner, sub_request("DELETE", "policy")); }

Support try_policy(Canary& canary, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  if (!trace.ask(owner, plain_request("PUT", kKey, "canary")).good()) return Support::unknown;
  const std::string policy = deny_get(canary, "");
  const auto set = trace.ask(owner, put_setting("policy", policy), "Deny s3:GetObject to all");
  if (!set.good()) return support_of(set);
  const auto read = trace.ask(owner, plain_request("GET", kKey));
  take_away(canary, trace);
  return read.response.status == 403 ? Support::works : Support::accepted_not_enforced;
}

Support judged(const S3Answer& secure, const S3Answer& plain, Trace& trace) {
  if (!secure.good()) {
    trace.say("the condition refuses https too");
    return Support::accepted_not_enforced;
  }
  if (plain.good()) return Support::accepted_not_enforced;
  return plain.response.status == 403 ? Support::works : Support::unknown;
}

Support try_condition(Canary& canary, std::string_view condition, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  const std::string policy = deny_get(canary, condition);
  const auto set = trace.ask(owner, put_setting("policy", policy), condition);
  if (!set.good()) return support_of(set);
  const auto secure = trace.ask(owner, plain_request("GET", kKey), "https");
  Support support = Support::unknown;
  if (canary.plain_http != nullptr) {
    support = judged(secure, get_plainly(canary, trace, false), trace);
  } else {
    trace.say("there is no plain HTTP way to try it on");
  }
  take_away(canary, trace);
  return support;
}

Support try_forged(Canary& canary, std::string_view condition, Trace& trace) {
  const std::string policy = deny_get(canary, condition);
  const auto set = trace.ask(*canary.owner, put_setting("policy", policy), condition);
  if (!set.good()) return support_of(set);
  const auto plain = get_plainly(canary, trace, true);
  take_away(canary, trace);
  if (plain.good()) return Support::accepted_not_enforced;
  return plain.response.status == 403 ? Support::works : Support::unknown;
}

struct Form {
  std::string_view id, title, condition;
};
constexpr Form kForms[] = {
    {"policy.tls_bool", "policy: Deny with Bool aws:SecureTransport false refuses plain HTTP",
     "{\"Bool\":{\"aws:SecureTransport\":\"false\"}}"},
    {"policy.tls_bool_if_exists", "policy: Deny with BoolIfExists aws:SecureTransport false refuses plain HTTP",
     "{\"BoolIfExists\":{\"aws:SecureTransport\":\"false\"}}"},
    {"policy.tls_null", "policy: Deny with Null aws:SecureTransport true refuses plain HTTP",
     "{\"Null\":{\"aws:SecureTransport\":\"true\"}}"},
};
constexpr std::string_view kForgedTitle = "policy: a forged X-Forwarded-Proto does not pass for TLS";

}  // namespace

void probe_policy(Prober& prober, Canary& canary) {
  prober.probe("policy", "bucket policy: a Deny is obeyed", [&](Trace& trace) { return try_policy(canary, trace); });
  const Support policy = prober.of("policy");
  if (policy != Support::works) {
    for (const auto& form : kForms)
      prober.without(form.id, form.title, policy, "there are no bucket policies that work");
    prober.without("policy.forged_proto", kForgedTitle, policy, "there are no bucket policies that work");
    return;
  }
  std::string_view proven;
  // Plain HTTP must work before anything can be seen to refuse it.
  Trace before;
  if (canary.plain_http != nullptr && !get_plainly(canary, before, false).good()) canary.plain_http.reset();
  for (const auto& form : kForms) {
    prober.probe(form.id, form.title, [&](Trace& trace) {
      if (canary.plain_http == nullptr && !before.text().empty()) trace.say(before.text());
      return try_condition(canary, form.condition, trace);
    });
    if (prober.of(form.id) == Support::works) proven = form.condition;
  }
  if (proven.empty()) {
    prober.without("policy.forged_proto", kForgedTitle, Support::unknown, "no condition was seen to refuse plain HTTP");
    return;
  }
  prober.probe("policy.forged_proto", kForgedTitle, [&](Trace& trace) { return try_forged(canary, proven, trace); });
}

}  // namespace enclave::cloud::probing
