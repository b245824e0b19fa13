#include <algorithm>

#include "cloud/sigv4.h"
#include "control/storage_policy.h"
#include "control/storage_tools.h"
#include "io/http.h"

namespace enclave::control {
namespace {

using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {{kNist, "AC-3"}, {kNist, "AC-6"}, {kNist, "SC-7"}, {kCis, "2.1.4"},
                                   {kFsbp, "S3.2"}, {kFsbp, "S3.3"}, {kFsbp, "S3.8"}, {kFsbp, "S3.12"}};
constexpr std::string_view kAfter[] = {"storage.exists"};

std::string text_of(const cloud::Grant& grant) {
  constexpr std::string_view kWho[] = {"user ", "everybody", "everybody with an account", "log delivery", ""};
  const bool named = grant.grantee == cloud::Grant::Grantee::user || grant.grantee == cloud::Grant::Grantee::other;
  return fmt::format("{}{}: {}", kWho[static_cast<std::size_t>(grant.grantee)], named ? grant.id : "",
                     grant.permission);
}

std::string text_of(const cloud::AccessControl& acl) {
  if (acl.is_private()) return "private";
  std::string text;
  for (const auto& grant : acl.grants)
    if (grant.grantee != cloud::Grant::Grantee::user || grant.id != acl.owner)
      text += (text.empty() ? "" : "; ") + text_of(grant);
  return text.empty() ? "private" : text;
}

std::string text_of(const cloud::PublicAccessBlock& block) {
  std::string text;
  const auto name = [&](bool on, std::string_view what) {
    if (on) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  name(block.block_public_acls, "BlockPublicAcls");
  name(block.ignore_public_acls, "IgnorePublicAcls");
  name(block.block_public_policy, "BlockPublicPolicy");
  name(block.restrict_public_buckets, "RestrictPublicBuckets");
  return text.empty() ? "off" : text;
}

// A switch that breaks ordinary use on this server stays off: Ceph 16 refuses every PUT under the first one, and every
// policy that names a user under the third.
cloud::PublicAccessBlock wanted_block(const cloud::Capabilities& capabilities) {
  cloud::PublicAccessBlock wanted{true, true, true, true};
  wanted.block_public_acls = capabilities.of("public_access_block.put_still_works") != cloud::Support::refused;
  wanted.block_public_policy = capabilities.of("public_access_block.policy_still_works") != cloud::Support::refused;
  return wanted;
}

Result<void> observe_policy(S3Bucket& bucket, Facts& facts) {
  bool known = true;
  const std::string document = TRY(read_setting(bucket, Setting::policy, &known));
  const cloud::BucketPolicy policy = TRY(policy_of(document));
  std::string open;
  for (const auto& statement : policy.statements())
    if (statement.is_public()) open += (open.empty() ? "" : "\n") + statement.json;
  add(facts, "policy", document);
  add(facts, "policy.public", open, document);
  return {};
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  const auto* capabilities = TRY(reach.storage.capabilities());
  const bool blocks = capabilities->works("public_access_block");
  add(facts, "block.wanted", blocks ? text_of(wanted_block(*capabilities)) : "");
  if (bucket == nullptr) {
    add(facts, "block", blocks ? "off" : "absent");
    return facts;
  }
  const std::string acl = TRY(bucket->read(Setting::acl));
  add(facts, "acl", text_of(TRY(cloud::parse_acl(acl))), acl);
  TRY(observe_policy(*bucket, facts));
  const std::string block = blocks ? TRY(read_setting(*bucket, Setting::public_access_block)) : "";
  cloud::PublicAccessBlock switches;
  if (!block.empty()) switches = TRY(cloud::parse_public_access_block(block));
  add(facts, "block", blocks ? text_of(switches) : "absent", block);
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  if (auto finding = judge_ownership(facts)) return *finding;
  Finding finding{State::pass, "ACL private, no public policy, public access blocked", "", "", ""};
  const auto say = [&](bool good, const std::string& text, std::string_view fact) {
    finding.found += (finding.found.empty() ? "" : "; ") + text;
    if (good) return;
    finding.state = State::fail;
    finding.evidence = facts.find(fact)->evidence;
  };
  const std::string_view acl = facts.value("acl"), open = facts.value("policy.public");
  const std::string_view block = facts.value("block"), wanted = facts.value("block.wanted");
  say(acl == "private", fmt::format("ACL {}", acl), "acl");
  say(open.empty(), open.empty() ? "no public policy" : fmt::format("public policy: {}", open), "policy.public");
  if (block == "absent") {
    say(true, "no public access block on this server", "block");
  } else {
    finding.expected += fmt::format(" by {}", wanted);
    say(block == wanted, fmt::format("public access block: {}", block), "block");
  }
  return finding;
}

std::string acl_step(const Subject& subject) { return fmt::format("ACL of {}: private", subject.name); }
std::string policy_step(const Subject& subject) {
  return fmt::format("policy of {}: nothing for everybody", subject.name);
}
std::string block_step(const Subject& subject) { return fmt::format("public access block of {}: on", subject.name); }

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  std::vector<Step> steps;
  if (is_others(facts)) return steps;
  const std::string_view acl = facts.value("acl"), block = facts.value("block");
  if (!acl.empty() && acl != "private") steps.push_back({acl_step(subject), std::string(acl), "private", "", true});
  if (!facts.value("policy.public").empty()) {
    const std::string policy(facts.value("policy"));
    const auto closed = without_public(policy);
    steps.push_back({policy_step(subject), show_policy(policy), closed ? show_policy(*closed) : "",
                     "who reads or writes by this statement no longer can", true});
  }
  const std::string_view wanted = facts.value("block.wanted");
  if (block != "absent" && block != wanted)
    steps.push_back({block_step(subject), std::string(block), std::string(wanted), "", true});
  return steps;
}

Result<void> close_acl(S3Bucket& bucket, const Subject& subject, const Keep& keep) {
  const std::string before = TRY(bucket.read(Setting::acl));
  cloud::AccessControl acl = TRY(cloud::parse_acl(before));
  if (acl.is_private()) return {};
  cloud::Grant own;
  own.id = acl.owner;
  own.name = acl.owner_name;
  own.permission = "FULL_CONTROL";
  acl.grants = {own};
  TRY(keep({acl_step(subject), "acl\n" + before}));
  return bucket.write(Setting::acl, cloud::format_acl(acl));
}

Result<void> close_policy(Reach& reach, S3Bucket& bucket, const Subject& subject, const Keep& keep) {
  bool known = true;
  const std::string before = TRY(read_setting(bucket, Setting::policy, &known));
  const auto policy = TRY(policy_of(before));
  if (std::none_of(policy.statements().begin(), policy.statements().end(),
                   [](const auto& statement) { return statement.is_public(); }))
    return {};
  const std::string after = TRY(without_public(before));
  TRY(keep({policy_step(subject), "policy\n" + before}));
  return put_back(reach, bucket, Setting::policy, after);
}

// The block comes last: undone first, it does not stand in the way of what is put back after it.
Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  TRY(close_acl(*bucket, subject, keep));
  TRY(close_policy(reach, *bucket, subject, keep));
  const std::string_view block = facts.value("block");
  if (block == "absent" || block == facts.value("block.wanted")) return {};
  const std::string before = TRY(read_setting(*bucket, Setting::public_access_block));
  TRY(keep({block_step(subject), "block\n" + before}));
  const auto wanted = wanted_block(*TRY(reach.storage.capabilities()));
  return bucket->write(Setting::public_access_block, cloud::format_public_access_block(wanted));
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::size_t end = change.undo.find('\n');
  const std::string_view what = std::string_view(change.undo).substr(0, end);
  const std::string_view before = end == std::string::npos ? "" : std::string_view(change.undo).substr(end + 1);
  if (what == "acl") {
    // Read and written anew: servers do not take every document that they give.
    return bucket->write(Setting::acl, cloud::format_acl(TRY(cloud::parse_acl(before))));
  }
  if (what == "policy") return put_back(reach, *bucket, Setting::policy, before);
  if (what != "block") return Error{Fault::corrupt, "what was kept of \"{}\" cannot be read", change.what};
  if (before.empty()) return put_back(reach, *bucket, Setting::public_access_block, "");
  const auto block = TRY(cloud::parse_public_access_block(before));
  return bucket->write(Setting::public_access_block, cloud::format_public_access_block(block));
}

// An object that says "public-read" of itself is either refused, or nobody can read it all the same.
Trial put_public(CanaryObjects& canaries, S3Bucket& nobody, std::string& key) {
  constexpr std::string_view kTried = "putting an object with x-amz-acl: public-read, and reading it as nobody";
  key = canaries.new_key();
  const auto put = canaries.put(key, "canary", {{"x-amz-acl", "public-read"}});
  Trial trial = must_be_refused(kTried, put);
  if (!put || !put->good()) return trial;
  trial = must_be_refused(kTried, nobody.ask(request_of("GET", key)));
  trial.found = fmt::format("put: {}; read: {}", put->outcome(), trial.found);
  return trial;
}

Trial ask_swift(io::HttpClient& http, std::string_view method, const std::string& url, std::string_view tried) {
  io::HttpRequest request;
  request.method = method;
  request.url = url;
  if (method == "PUT") request.body = "canary";
  const auto answer = http.send(request);
  if (!answer) return trial_of(tried, "refused", answer.error().text(), State::inconclusive, url);
  State state = State::inconclusive;
  if (answer->status >= 200 && answer->status < 300) state = State::fail;
  if (answer->status >= 400 && answer->status < 500) state = State::pass;
  return trial_of(tried, "refused", std::to_string(answer->status), state,
                  fmt::format("{} {} (unsigned)\n{}", method, url, answer->status));
}

Result<void> prove_on_swift(Reach& reach, const Subject& subject, const std::string& key, const std::string& public_key,
                            CanaryObjects& canaries, std::vector<Trial>& trials) {
  const auto& storage = reach.config.storage;
  io::HttpOptions options;
  options.ca_file = storage.ca;
  options.proxy = storage.proxy;
  options.plain_http = storage.swift_url.starts_with("http://");
  const auto http = TRY(io::HttpClient::make(options));
  const std::string bucket = fmt::format("{}/{}", storage.swift_url, cloud::uri_encode(subject.name, false));
  const auto url = [&](const std::string& name) { return bucket + "/" + cloud::uri_encode(name, true); };
  trials.push_back(ask_swift(*http, "GET", url(key), "unsigned GET on the Swift URL"));
  trials.push_back(ask_swift(*http, "GET", bucket, "unsigned list on the Swift URL"));
  trials.push_back(ask_swift(*http, "PUT", url(canaries.new_key()), "unsigned PUT on the Swift URL"));
  trials.push_back(ask_swift(*http, "GET", url(public_key), "unsigned GET of a public-read object on the Swift URL"));
  return {};
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  S3Bucket* owner = TRY(reach.storage.bucket(subject.name));
  S3Bucket* nobody = TRY(reach.storage.bucket(subject.name, As::anonymous));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *owner));
  const std::string key = canaries.new_key();
  std::vector<Trial> trials;
  trials.push_back(must_work("putting a canary object", canaries.put(key, "canary")));
  trials.push_back(must_be_refused("unsigned GET of the canary", nobody->ask(request_of("GET", key))));
  trials.push_back(must_be_refused("unsigned list of the bucket", nobody->ask(request_of("GET"))));
  trials.push_back(must_be_refused("unsigned PUT", nobody->ask(canaries.attempt_to_write(canaries.new_key()))));
  std::string public_key;
  trials.push_back(put_public(canaries, *nobody, public_key));
  if (!reach.config.storage.swift_url.empty()) TRY(prove_on_swift(reach, subject, key, public_key, canaries, trials));
  return trials;
}

}  // namespace

extern const Control control_private;
const Control control_private{
    .id = "storage.private",
    .title = "Nobody but the account reads, lists or writes its buckets.",
    .why = "One public grant, in an ACL, a policy or on a single object, gives the data to everybody on the network.",
    .severity = Severity::critical,
    .standards = kStandards,
    .after = kAfter,
    .subjects = all_buckets,
    .observe = observe,
    .judge = judge,
    .plan = plan,
    .enforce = enforce,
    .undo = undo,
    .prove = prove};

}  // namespace enclave::control
