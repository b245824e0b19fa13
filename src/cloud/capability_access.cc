#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"

/// ACLs and the public access block, each of its four switches by what it should prevent.
namespace enclave::cloud::probing {
namespace {

constexpr std::string_view kKey = "enclave-canary-access";
constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";

S3Answer set_block(Canary& canary, PublicAccessBlock on, Trace& trace) {
  const std::string document = format_public_access_block(on);
  return trace.ask(*canary.owner, put_setting("publicAccessBlock", document));
}

S3Answer set_acl(Canary& canary, std::string_view acl, Trace& trace, std::string_view key = "") {
  S3Request request = sub_request("PUT", "acl", key);
  request.headers = {{"x-amz-acl", std::string(acl)}};
  return trace.ask(*canary.owner, request, fmt::format("x-amz-acl: {}", acl));
}

S3Answer put_public(Canary& canary, Trace& trace) {
  S3Request request = plain_request("PUT", kKey, "canary");
  request.headers = {{"x-amz-acl", "public-read"}};
  return trace.ask(*canary.owner, request, "x-amz-acl: public-read");
}

S3Answer get_unsigned(Canary& canary, Trace& trace) { return trace.ask(*canary.anonymous, plain_request("GET", kKey)); }

S3Answer set_policy_for(Canary& canary, std::string_view principal, Trace& trace) {
  const std::string policy = fmt::format(
      "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"EnclaveCanary\",\"Effect\":\"Allow\","
      "\"Principal\":{{\"AWS\":\"{}\"}},\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/*\"}}]}}",
      principal, canary.name);
  return trace.ask(*canary.owner, put_setting("policy", policy), fmt::format("Allow s3:GetObject to {}", principal));
}

S3Answer set_public_policy(Canary& canary, Trace& trace) { return set_policy_for(canary, "*", trace); }

Support try_acl(Canary& canary, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  const auto read = trace.ask(owner, sub_request("GET", "acl"));
  if (!holds(read, "AccessControlPolicy")) return read.good() ? Support::absent : support_of(read);
  const auto set = set_acl(canary, "public-read", trace);
  if (!set.good()) return support_of(set) == Support::absent ? Support::refused : support_of(set);
  const auto now = trace.ask(owner, sub_request("GET", "acl"));
  const bool shown = now.response.body.find(kAllUsers) != std::string::npos;
  if (canary.anonymous != nullptr) {
    const auto listed = trace.ask(*canary.anonymous, plain_request("GET"));
    if (shown && !listed.good()) trace.say("the grant is shown, and nobody can list all the same");
  }
  (void)set_acl(canary, "private", trace);
  return shown ? Support::works : Support::accepted_not_enforced;
}

Support try_block(Canary& canary, Trace& trace) {
  const auto set = set_block(canary, {true, true, true, true}, trace);
  const auto read = trace.ask(*canary.owner, sub_request("GET", "publicAccessBlock"));
  // Ceph's answer has an element of its own.
  const bool shown = holds(read, "PublicAccessBlockConfiguration", "BlockPublicAccessBlockConfiguration");
  if (set.good() && shown) return Support::works;
  return set.good() ? Support::accepted_not_enforced : support_of(set);
}

Support try_block_acls(Canary& canary, Trace& trace) {
  if (!set_block(canary, {.block_public_acls = true}, trace).good()) return Support::unknown;
  const auto set = set_acl(canary, "public-read", trace);
  if (set.good()) (void)set_acl(canary, "private", trace);
  return set.good() ? Support::accepted_not_enforced : Support::works;
}

// Some servers take every object for a public one.
Support try_put_under_block(Canary& canary, Trace& trace) {
  if (!set_block(canary, {}, trace).good()) return Support::unknown;
  if (!trace.ask(*canary.owner, plain_request("PUT", kKey, "canary"), "before").good()) return Support::unknown;
  if (!set_block(canary, {.block_public_acls = true}, trace).good()) return Support::unknown;
  const auto put = trace.ask(*canary.owner, plain_request("PUT", kKey, "canary"));
  return put.good() ? Support::works : Support::refused;
}

Support try_block_object_acls(Canary& canary, Trace& trace) {
  if (!trace.ask(*canary.owner, plain_request("PUT", kKey, "canary")).good()) {
    trace.say("every PUT is refused, so that this one was says nothing");
    return Support::unknown;
  }
  const auto put = put_public(canary, trace);
  return put.good() ? Support::accepted_not_enforced : Support::works;
}

// What is not readable before a switch is on proves nothing about the switch.
Support try_ignore_acls(Canary& canary, Trace& trace) {
  if (canary.anonymous == nullptr || !set_block(canary, {}, trace).good()) return Support::unknown;
  if (!put_public(canary, trace).good() || !get_unsigned(canary, trace).good()) return Support::unknown;
  if (!set_block(canary, {.ignore_public_acls = true}, trace).good()) return Support::unknown;
  return get_unsigned(canary, trace).good() ? Support::accepted_not_enforced : Support::works;
}

Support try_block_policy(Canary& canary, Trace& trace) {
  if (!set_block(canary, {.block_public_policy = true}, trace).good()) return Support::unknown;
  const auto set = set_public_policy(canary, trace);
  if (set.good()) (void)trace.ask(*canary.owner, sub_request("DELETE", "policy"));
  if (set.good()) return Support::accepted_not_enforced;
  return set.response.status == 403 ? Support::works : support_of(set);
}

// Others take every Allow for a public one. Where users must exist to be named, nothing can be said (400).
Support try_policy_under_block(Canary& canary, Trace& trace) {
  if (!set_block(canary, {.block_public_policy = true}, trace).good()) return Support::unknown;
  const auto set = set_policy_for(canary, "arn:aws:iam:::user/enclave-canary", trace);
  if (set.good()) (void)trace.ask(*canary.owner, sub_request("DELETE", "policy"));
  if (set.good()) return Support::works;
  return set.response.status == 403 ? Support::refused : Support::unknown;
}

Support try_restrict(Canary& canary, Trace& trace) {
  if (canary.anonymous == nullptr || !set_block(canary, {}, trace).good()) return Support::unknown;
  (void)trace.ask(*canary.owner, plain_request("PUT", kKey, "canary"));
  const auto set = set_public_policy(canary, trace);
  if (!set.good()) return support_of(set);
  Support support = Support::unknown;
  if (get_unsigned(canary, trace).good() && set_block(canary, {.restrict_public_buckets = true}, trace).good())
    support = get_unsigned(canary, trace).good() ? Support::accepted_not_enforced : Support::works;
  (void)trace.ask(*canary.owner, sub_request("DELETE", "policy"));
  return support;
}

struct Switch {
  std::string_view id, title;
  Support (*attempt)(Canary&, Trace&);
};
constexpr Switch kSwitches[] = {
    {"public_access_block.block_public_acls", "BlockPublicAcls: a public ACL on the bucket is refused", try_block_acls},
    {"public_access_block.put_still_works", "BlockPublicAcls: an ordinary PUT of an object still works",
     try_put_under_block},
    {"acl.public_read_refused_by_block", "BlockPublicAcls: a public-read PUT of an object is refused",
     try_block_object_acls},
    {"public_access_block.ignore_public_acls", "IgnorePublicAcls: a public ACL opens nothing", try_ignore_acls},
    {"public_access_block.block_public_policy", "BlockPublicPolicy: a public policy is refused", try_block_policy},
    {"public_access_block.policy_still_works", "BlockPublicPolicy: a policy for one user is still accepted",
     try_policy_under_block},
    {"public_access_block.restrict_public_buckets", "RestrictPublicBuckets: a public policy opens nothing",
     try_restrict},
};

}  // namespace

void probe_access(Prober& prober, Canary& canary) {
  prober.probe("acl", "ACLs: a grant to everybody is kept and shown",
               [&](Trace& trace) { return try_acl(canary, trace); });
  prober.probe("public_access_block", "public access block is kept and shown",
               [&](Trace& trace) { return try_block(canary, trace); });
  const Support block = prober.of("public_access_block");
  for (const auto& one : kSwitches) {
    if (block == Support::works) {
      prober.probe(one.id, one.title, [&](Trace& trace) { return one.attempt(canary, trace); });
    } else {
      prober.without(one.id, one.title, block, "there is no public access block that works");
    }
  }
  Trace trace;
  if (block == Support::works) (void)set_block(canary, {}, trace);
}

}  // namespace enclave::cloud::probing
