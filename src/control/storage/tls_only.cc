#include <algorithm>

#include "control/storage_policy.h"
#include "control/storage_tools.h"
#include "io/http.h"

namespace enclave::control {
namespace {

using cloud::S3Bucket;
using cloud::Setting;
using cloud::Support;

constexpr Standard kStandards[] = {{kNist, "SC-8"},     {kNist, "SC-8(1)"}, {kNist, "SC-23"},
                                   {kNist, "AC-17(2)"}, {kCis, "2.1.1"},    {kFsbp, "S3.5"}};
constexpr std::string_view kAfter[] = {"storage.exists"};

// In the order of preference: the first also covers servers that leave the key out of plain requests, and those that
// set it to "false".
struct Form {
  std::string_view capability;
  TlsCondition condition;
};
constexpr Form kForms[] = {{"policy.tls_bool_if_exists", {"BoolIfExists", "false"}},
                           {"policy.tls_null", {"Null", "true"}},
                           {"policy.tls_bool", {"Bool", "false"}}};

// nullptr: this server obeys none.
const Form* chosen(const cloud::Capabilities& capabilities) {
  for (const auto& form : kForms)
    if (capabilities.works(form.capability)) return &form;
  // Plain HTTP could not be reached to try it.
  return capabilities.of(kForms[0].capability) == Support::unknown ? &kForms[0] : nullptr;
}

std::string tls_state(const cloud::BucketPolicy& policy, const Subject& subject,
                      const cloud::Capabilities& capabilities, const Form* best) {
  std::string idle;
  for (const auto& statement : policy.statements()) {
    for (const auto& form : kForms) {
      if (!is_tls_only(statement, subject.name, form.condition)) continue;
      if (&form == best || capabilities.works(form.capability)) return "in force";
      idle = fmt::format("there is one with {}, which this server accepts and does not obey", form.condition.operation);
    }
  }
  return idle.empty() ? "missing" : idle;
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  const auto* capabilities = TRY(reach.storage.capabilities());
  const Form* best = chosen(*capabilities);
  add(facts, "endpoint", reach.config.storage.endpoint);
  add(facts, "policies", cloud::name_of(capabilities->of("policy")));
  add(facts, "statement", best == nullptr ? "" : tls_only_statement(subject.name, best->condition));
  if (bucket == nullptr) return facts;
  bool known = true;
  const std::string document = TRY(read_setting(*bucket, Setting::policy, &known));
  add(facts, "policy", document);
  add(facts, "tls", tls_state(TRY(policy_of(document)), subject, *capabilities, best), document);
  return facts;
}

bool is_secure_endpoint(std::string_view endpoint) { return endpoint.starts_with("https://"); }
bool is_secure(const Facts& facts) { return is_secure_endpoint(facts.value("endpoint")); }
bool by_policy(const Facts& facts) {
  return facts.value("policies") == cloud::name_of(Support::works) && !facts.value("statement").empty();
}

Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  if (auto finding = judge_ownership(facts)) return *finding;
  Finding finding{State::pass, "https only", "", "", ""};
  if (!is_secure(facts)) {
    finding.state = State::fail;
    finding.found = fmt::format("the configured endpoint is {}", facts.value("endpoint"));
    finding.remedy = "give an https:// endpoint in enclave.yaml";
    return finding;
  }
  if (!by_policy(facts)) {
    finding.found = "https endpoint; this server has no policy that could refuse plain HTTP, so the trial decides";
    finding.remedy = "where plain HTTP is answered, ask who runs the server to close that port to you";
    return finding;
  }
  const Fact& tls = *facts.find("tls");
  finding.expected = "https endpoint, and a policy that refuses plain HTTP";
  finding.found = fmt::format("https endpoint; policy: {}", tls.value);
  finding.evidence = tls.evidence;
  if (tls.value != "in force") finding.state = State::fail;
  return finding;
}

std::string step_of(const Subject& subject) { return fmt::format("policy of {}: deny plain HTTP", subject.name); }

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  if (is_others(facts) || !is_secure(facts) || !by_policy(facts) || facts.value("tls") == "in force") return {};
  const std::string before(facts.value("policy"));
  const auto after = with_statement(before, facts.value("statement"));
  if (!after) return {};
  return {{step_of(subject), show_policy(before), show_policy(*after), "programs that still use http:// are refused",
           true}};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  if (!is_secure(facts) || !by_policy(facts)) return {};
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string before = TRY(read_setting(*bucket, Setting::policy));
  const std::string after = TRY(with_statement(before, facts.value("statement")));
  TRY(keep({step_of(subject), keep_document(before)}));
  TRY(bucket->write(Setting::policy, after));
  // The probe has shown that requests over TLS pass; should this bucket differ, the way back may still be open.
  const auto check = bucket->read(Setting::policy);
  if (check) return {};
  const auto back = put_back(reach, *bucket, Setting::policy, before);
  return Error{Fault::denied, "the new policy refuses requests over TLS too ({}); it was {}", check.error().text(),
               back ? "taken back" : "not possible to take it back: " + back.error().text()};
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  return put_back(reach, *bucket, Setting::policy, TRY(kept_document(change)));
}

// Where plain HTTP was tried, and what a silence there is worth.
struct PlainWay {
  std::string address;
  bool guessed = false;    ///< nobody named it: the server may speak plain HTTP at another port
  bool forbidden = false;  ///< by a policy that was read back, which holds at every port
};

Result<PlainWay> plain_way(Reach& reach, const Subject& subject, S3Bucket& owner, S3Bucket& http) {
  PlainWay way;
  way.address = http.client().options().endpoint;
  way.guessed = reach.config.storage.plain_endpoint.empty() && is_secure_endpoint(reach.config.storage.endpoint);
  if (!way.guessed) return way;
  way.address += ":80";
  const auto* capabilities = TRY(reach.storage.capabilities());
  bool known = true;
  const auto policy = TRY(policy_of(TRY(read_setting(owner, Setting::policy, &known))));
  way.forbidden = tls_state(policy, subject, *capabilities, chosen(*capabilities)) == "in force";
  return way;
}

// At a guessed address, a refused connection shows that nothing listens; a silence may be that of a firewall on the
// way, and shows nothing unless the policy forbids plain HTTP wherever it is.
Trial silent(std::string_view tried, const PlainWay& way, const Error& error) {
  if (error.fault() != Fault::busy)
    return trial_of(tried, "refused", "no answer: " + error.text(), State::inconclusive);
  if (!way.guessed) return trial_of(tried, "refused", "no answer: " + error.text(), State::pass);
  const bool nobody = error.text().find(io::kNothingListens) != std::string::npos;
  std::string found = fmt::format("nothing answers at {}, the guessed address", way.address);
  found += way.forbidden ? "; the policy forbids plain HTTP at every port"
           : nobody      ? "; nothing listens there"
                         : "; name the server's in storage.plain_endpoint";
  return trial_of(tried, "refused", found, way.forbidden || nobody ? State::pass : State::inconclusive, error.text());
}

// Refused, redirected to https, or nobody there. 404 comes from a server that does not know what is there over TLS.
Trial plain(std::string_view tried, const PlainWay& way, const Result<cloud::S3Answer>& answer) {
  if (!answer) return silent(tried, way, answer.error());
  Trial trial = must_be_refused(tried, answer);
  const int status = answer->response.status;
  if (status == 404) trial.state = State::inconclusive;
  if (status >= 300 && status < 400 && answer->response.header("location").starts_with("https://"))
    trial.state = State::pass;
  return trial;
}

Trial old_tls(std::string_view tried, const Result<cloud::S3Answer>& answer) {
  if (answer) return trial_of(tried, "refused", "accepted: " + answer->outcome(), State::fail, answer->evidence());
  const bool refused = answer.error().fault() == Fault::denied;
  return trial_of(tried, "refused", answer.error().text(), refused ? State::pass : State::inconclusive);
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  S3Bucket* owner = TRY(reach.storage.bucket(subject.name));
  S3Bucket* http = TRY(reach.storage.bucket(subject.name, As::owner, Way::plain_http));
  const PlainWay way = TRY(plain_way(reach, subject, *owner, *http));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *owner));
  const std::string key = canaries.new_key();
  std::vector<Trial> trials;
  trials.push_back(must_work("putting a canary object over TLS, certificate verified", canaries.put(key, "canary")));
  trials.push_back(plain("GET over plain HTTP with the owner's keys", way, http->ask(request_of("GET", key))));
  trials.push_back(plain("list over plain HTTP", way, http->ask(request_of("GET"))));
  trials.push_back(plain("PUT over plain HTTP", way, http->ask(canaries.attempt_to_write(canaries.new_key()))));
  auto forged = request_of("GET", key);
  forged.headers = {{"forwarded", "proto=https"}, {"x-forwarded-proto", "https"}};
  trials.push_back(plain("GET over plain HTTP with a forged X-Forwarded-Proto: https", way, http->ask(forged)));
  S3Bucket* tls_1_0 = TRY(reach.storage.bucket(subject.name, As::owner, Way::tls_1_0));
  S3Bucket* tls_1_1 = TRY(reach.storage.bucket(subject.name, As::owner, Way::tls_1_1));
  trials.push_back(old_tls("GET over TLS 1.0", tls_1_0->ask(request_of("GET", key))));
  trials.push_back(old_tls("GET over TLS 1.1", tls_1_1->ask(request_of("GET", key))));
  return trials;
}

}  // namespace

extern const Control control_tls_only;
const Control control_tls_only{
    .id = "storage.tls_only",
    .title = "Buckets answer over TLS only, in version 1.2 or later.",
    .why =
        "Over plain HTTP, data, names and signed requests can be read on the way. The usual policy against it is "
        "accepted by some servers and does nothing there.",
    .severity = Severity::high,
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
