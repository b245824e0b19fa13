#include "control/storage_tools.h"

namespace enclave::control {
namespace {

constexpr Standard kStandards[] = {{kNist, "CP-9"}, {kNist, "SI-12"}, {kNist, "AU-9(2)"}, {kSecurityHub, "S3.14"}};
constexpr std::string_view kAfter[] = {"storage.exists"};

std::string_view text_of(cloud::Versioning::State state) {
  constexpr std::string_view kTexts[] = {"never set", "Enabled", "Suspended"};
  return kTexts[static_cast<std::size_t>(state)];
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  cloud::S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  if (bucket == nullptr) return facts;
  bool known = true;
  const std::string document = TRY(read_setting(*bucket, cloud::Setting::versioning, &known));
  cloud::Versioning found;
  if (!document.empty()) found = TRY(cloud::parse_versioning_configuration(document));
  add(facts, "versioning", known ? text_of(found.state) : "absent", document);
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  if (auto finding = judge_ownership(facts)) return *finding;
  const Fact& fact = *facts.find("versioning");
  Finding finding{State::fail, "Enabled", fact.value, fact.evidence, ""};
  if (fact.value == "Enabled") finding.state = State::pass;
  if (fact.value == "absent") {
    finding.found = "this server has no versioning";
    finding.remedy = "keep these buckets on a server with versioning; here nothing brings back what was overwritten";
  }
  return finding;
}

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  const std::string_view now = facts.value("versioning");
  if (is_others(facts) || now == "Enabled" || now == "absent") return {};
  return {{fmt::format("versioning of {}: on", subject.name), std::string(now), "Enabled",
           now == "Suspended" ? "" : "it can be suspended later, and never taken away", true}};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  TRY(keep({fmt::format("versioning of {}: on", subject.name), std::string(facts.value("versioning"))}));
  return bucket->write(cloud::Setting::versioning, cloud::format_versioning(true));
}

// A bucket that had no versioning cannot have none again; suspended is what comes nearest.
Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  if (change.undo == "Enabled") return {};
  const auto now = cloud::parse_versioning_configuration(TRY(bucket->read(cloud::Setting::versioning)));
  if (now && now->state != cloud::Versioning::State::enabled) return {};
  return bucket->write(cloud::Setting::versioning, cloud::format_versioning(false));
}

Trial restored(const Result<cloud::S3Answer>& answer, std::string_view wanted) {
  Trial trial = must_work("reading the first version after it was overwritten and deleted", answer);
  trial.expected = "the first content";
  if (answer && answer->good() && answer->response.body != wanted) {
    trial.found = "another content";
    trial.state = State::fail;
  }
  return trial;
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *bucket));
  const std::string key = canaries.new_key();
  const auto first = canaries.put(key, "first");
  std::vector<Trial> trials;
  trials.push_back(must_work("putting a canary object", first));
  if (!first || !first->good()) return trials;
  const std::string version(first->response.header("x-amz-version-id"));
  trials.push_back(must_work("putting it again", canaries.put(key, "second")));
  trials.push_back(must_work("deleting it", bucket->ask(request_of("DELETE", key))));
  Trial gone = must_be_refused("reading it after the delete", bucket->ask(request_of("GET", key)));
  gone.expected = "not there";
  trials.push_back(std::move(gone));
  if (version.empty()) {
    trials.push_back(trial_of("reading the first version", "the first content", "the server gave it no version id",
                              State::fail, first->evidence()));
    return trials;
  }
  const auto old = bucket->ask(request_of("GET", key, {{"versionId", version}}));
  trials.push_back(restored(old, "first"));
  if (old && old->good()) {
    trials.push_back(must_work("putting the first version back", canaries.put(key, old->response.body)));
    trials.push_back(restored(bucket->ask(request_of("GET", key)), "first"));
    trials.back().tried = "reading the object that was put back";
  }
  return trials;
}

}  // namespace

extern const Control control_versioning;
const Control control_versioning{
    .id = "storage.versioning",
    .title = "Buckets keep every version of an object.",
    .why = "Without versions an overwritten or deleted object is gone, by mistake or by somebody who covers tracks.",
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
