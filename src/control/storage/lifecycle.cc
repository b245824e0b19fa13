#include <algorithm>

#include "control/storage_tools.h"

namespace enclave::control {
namespace {

using cloud::Lifecycle;
using cloud::LifecycleRule;
using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {
    {kNist, "SI-12"}, {kNist, "AU-11"}, {kNist, "MP-6"}, {kFsbp, "S3.13"}, {kSecurityHub, "S3.10"}};
constexpr std::string_view kAfter[] = {"storage.exists"};
constexpr std::string_view kVersionsRule = "enclave-old-versions";
constexpr std::string_view kUploadsRule = "enclave-unfinished-uploads";
constexpr std::uint32_t kUploadDays = 7;

// Old versions of what is held cannot go before its time, so that they are not asked to.
std::uint32_t wanted_days(const pipeline::BucketConfig& wanted) {
  if (wanted.old_versions.count() == 0) return 0;
  return static_cast<std::uint32_t>(days_of(std::max(wanted.old_versions, wanted.retain)));
}

bool covers_all(const LifecycleRule& rule) { return rule.enabled && rule.plain && rule.prefix.empty(); }

std::string text_of(const LifecycleRule& rule) {
  std::string text = rule.id + (rule.enabled ? ":" : " (off):");
  if (!rule.prefix.empty()) text += fmt::format(" below {}", rule.prefix);
  if (rule.expire_days) text += fmt::format(" objects expire after {} days", *rule.expire_days);
  if (rule.noncurrent_days) text += fmt::format(" old versions expire after {} days", *rule.noncurrent_days);
  if (rule.abort_upload_days) text += fmt::format(" unfinished uploads expire after {} days", *rule.abort_upload_days);
  return text + (rule.plain ? "" : " (and more)");
}

std::string text_of(const Lifecycle& lifecycle) {
  std::string text;
  for (const auto& rule : lifecycle.rules) text += (text.empty() ? "" : "\n") + text_of(rule);
  return text;
}

// The shortest time, of the rules that concern every object; 0: there is none.
template <class Member>
std::uint32_t days_in(const Lifecycle& lifecycle, Member member) {
  std::uint32_t days = 0;
  for (const auto& rule : lifecycle.rules)
    if (covers_all(rule) && rule.*member && (days == 0 || *(rule.*member) < days)) days = *(rule.*member);
  return days;
}

Result<Lifecycle> read_lifecycle(S3Bucket& bucket, std::string& document) {
  document = TRY(read_setting(bucket, Setting::lifecycle));
  if (document.empty()) return Lifecycle{};
  return cloud::parse_lifecycle(document);
}

LifecycleRule versions_rule(std::uint32_t days) {
  LifecycleRule rule;
  rule.id = kVersionsRule;
  rule.noncurrent_days = days;
  return rule;
}

LifecycleRule uploads_rule() {
  LifecycleRule rule;
  rule.id = kUploadsRule;
  rule.abort_upload_days = kUploadDays;
  return rule;
}

bool versions_are_due(const Lifecycle& found, std::uint32_t wanted) {
  return wanted != 0 && days_in(found, &LifecycleRule::noncurrent_days) != wanted;
}
bool uploads_are_due(const Lifecycle& found) {
  const std::uint32_t days = days_in(found, &LifecycleRule::abort_upload_days);
  return days == 0 || days > kUploadDays;
}

// What takes away current objects of a bucket that is to keep them.
std::string too_early(const Lifecycle& found, const pipeline::BucketConfig& wanted) {
  for (const auto& rule : found.rules)
    if (rule.enabled && rule.expire_days && *rule.expire_days < days_of(wanted.retain)) return text_of(rule);
  return "";
}

void merge(Lifecycle& lifecycle, std::uint32_t wanted) {
  if (versions_are_due(lifecycle, wanted)) lifecycle.set(versions_rule(wanted));
  if (uploads_are_due(lifecycle)) lifecycle.set(uploads_rule());
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  const auto* capabilities = TRY(reach.storage.capabilities());
  const bool works = capabilities->works("lifecycle") && capabilities->works("lifecycle.abort_multipart");
  add(facts, "lifecycle", works ? "works" : cloud::name_of(capabilities->of("lifecycle")));
  if (!works) return facts;
  std::string document;
  Lifecycle found;
  if (bucket != nullptr) found = TRY(read_lifecycle(*bucket, document));
  add(facts, "rules", text_of(found), document);
  add(facts, "too_early", too_early(found, wanted));
  const bool versions = versions_are_due(found, wanted_days(wanted)), uploads = uploads_are_due(found);
  add(facts, "due", versions && uploads ? "both" : versions ? "versions" : uploads ? "uploads" : "");
  merge(found, wanted_days(wanted));
  add(facts, "wanted", text_of(found));
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  if (auto finding = judge_ownership(facts)) return *finding;
  const auto wanted = wanted_bucket(config, subject.name);
  Finding finding{State::fail, fmt::format("unfinished uploads expire within {} days", kUploadDays), "", "", ""};
  if (const auto days = wanted_days(wanted)) finding.expected += fmt::format(", old versions after {} days", days);
  if (facts.value("lifecycle") != "works") {
    finding.found = fmt::format("this server has no lifecycle rules that it keeps ({})", facts.value("lifecycle"));
    // Then nothing expires at all, which loses nothing.
    if (wanted.old_versions.count() == 0) finding.state = State::not_applicable;
    finding.remedy = "remove old versions and unfinished uploads by hand, or with the server's own tools";
    return finding;
  }
  const Fact& rules = *facts.find("rules");
  finding.found = rules.value.empty() ? "no rules" : rules.value;
  finding.evidence = rules.evidence;
  if (const auto early = facts.value("too_early"); !early.empty()) {
    finding.expected = fmt::format("nothing expires before {}", format_duration(wanted.retain));
    finding.found = early;
    finding.remedy = "remove this rule: it hides objects that are to be kept";
  } else if (facts.value("due").empty()) {
    finding.state = State::pass;
  }
  return finding;
}

std::string step_of(const Subject& subject) { return fmt::format("lifecycle of {}", subject.name); }

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  if (is_others(facts) || facts.value("lifecycle") != "works" || facts.value("due").empty()) return {};
  Step step{step_of(subject), std::string(facts.value("rules")), std::string(facts.value("wanted")), "", true};
  if (facts.value("due") != "uploads") step.caution = "old versions that are older go soon after";
  return {std::move(step)};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts&, const Keep& keep) {
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  std::string before;
  Lifecycle lifecycle = TRY(read_lifecycle(*bucket, before));
  merge(lifecycle, wanted_days(wanted));
  TRY(keep({step_of(subject), keep_document(before)}));
  return bucket->write(Setting::lifecycle, cloud::format_lifecycle(lifecycle));
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string document = TRY(kept_document(change));
  if (document.empty()) return put_back(reach, *bucket, Setting::lifecycle, "");
  const Lifecycle before = TRY(cloud::parse_lifecycle(document));
  return bucket->write(Setting::lifecycle, cloud::format_lifecycle(before));
}

// The server acts once a day, so the rules are read back; where it dates a new object's end, that is shown too.
Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  const auto wanted = wanted_bucket(reach.config, subject.name);
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const auto answer = bucket->ask(request_of("GET", "", {{"lifecycle", ""}}));
  Trial trial = must_work("reading the rules back", answer);
  const auto found = answer && answer->good() ? cloud::parse_lifecycle(answer->response.body) : Lifecycle{};
  if (!found) return found.error();
  const bool good = !versions_are_due(*found, wanted_days(wanted)) && !uploads_are_due(*found);
  trial.expected = "rules with their days";
  if (trial.state == State::pass) trial.found = text_of(*found);
  if (!good && trial.state == State::pass) trial.state = State::fail;
  return std::vector<Trial>{std::move(trial)};
}

}  // namespace

extern const Control control_lifecycle;
const Control control_lifecycle{
    .id = "storage.lifecycle",
    .title = "Old versions and unfinished uploads expire by rule.",
    .why =
        "Deleted data lives on as old versions and as parts that no list shows, longer than anybody meant to keep "
        "it, and is paid for.",
    .severity = Severity::low,
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
