#include "cloud/s3_endpoint.h"
#include "control/storage_tools.h"

namespace enclave::control {
namespace {

constexpr Standard kStandards[] = {{kNist, "CM-8"}, {kNist, "SC-28"}};

bool wants_lock(const pipeline::BucketConfig& wanted) { return wanted.retain.count() > 0 && wanted.lock != "none"; }

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  TRY(our_bucket(reach, subject, facts));
  if (facts.value("bucket") == "absent" && wants_lock(wanted_bucket(reach.config, subject.name)))
    add(facts, "object_lock", cloud::name_of(TRY(reach.storage.capabilities())->of("object_lock")));
  return facts;
}

Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  if (auto finding = judge_ownership(facts)) return *finding;
  return {State::pass, "a bucket of this account", "it is this account's", "", ""};
}

std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  if (facts.value("bucket") != "absent") return {};
  Step step;
  step.what = fmt::format("bucket {}: make it", subject.name);
  step.after = "an empty bucket";
  if (facts.value("object_lock") == cloud::name_of(cloud::Support::works)) {
    step.after += " with object lock";
    step.caution = "object lock cannot be taken away from a bucket again";
  }
  return {std::move(step)};
}

// Amazon wants to be told the region of its endpoint; others refuse any they do not know.
std::string location_of(cloud::S3Bucket& bucket) {
  const std::string& endpoint = bucket.client().options().endpoint;
  const std::string region = cloud::aws_region_of(endpoint.substr(endpoint.find("//") + 2));
  return region == "us-east-1" ? "" : region;
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  if (facts.value("bucket") != "absent") return {};
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  cloud::NewBucket wanted;
  wanted.object_lock = facts.value("object_lock") == cloud::name_of(cloud::Support::works);
  wanted.location = location_of(*bucket);
  TRY(keep({fmt::format("bucket {}: made", subject.name), "made"}));
  return bucket->create(wanted);
}

Result<void> undo(Reach& reach, const Subject& subject, const Change&) {
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  if (TRY(bucket->ownership()) != cloud::Ownership::ours) return {};
  auto gone = bucket->destroy();
  if (!gone && gone.error().fault() == Fault::conflict)
    return Error{Fault::conflict, "bucket {} is not empty; it stays. Remove what is in it first", subject.name};
  return gone;
}

std::string_view name_of_ownership(cloud::Ownership ownership) {
  constexpr std::string_view kNames[] = {"absent", "ours", "somebody else's"};
  return kNames[static_cast<std::size_t>(ownership)];
}

Result<Trial> asked_as(Reach& reach, const Subject& subject, As as, std::string_view tried, bool ours) {
  cloud::S3Bucket* bucket = TRY(reach.storage.bucket(subject.name, as));
  const std::string_view expected = ours ? "ours" : "not theirs";
  const auto found = bucket->ownership();
  if (!found) {
    const bool told = !ours && found.error().fault() != Fault::busy;
    return trial_of(tried, expected, found.error().text(), told ? State::pass : State::inconclusive);
  }
  const bool good = (*found == cloud::Ownership::ours) == ours;
  return trial_of(tried, expected, name_of_ownership(*found), good ? State::pass : State::fail);
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  std::vector<Trial> trials;
  trials.push_back(TRY(asked_as(reach, subject, As::owner, "whose it is, asked as the owner", true)));
  trials.push_back(TRY(asked_as(reach, subject, As::anonymous, "whose it is, asked as nobody", false)));
  if (!reach.config.storage.other.empty())
    trials.push_back(TRY(asked_as(reach, subject, As::other, "whose it is, asked as somebody else", false)));
  return trials;
}

}  // namespace

extern const Control control_exists;
const Control control_exists{
    .id = "storage.exists",
    .title = "Every bucket of the configuration exists and belongs to this account.",
    .why =
        "Names of buckets are shared by all accounts of a server: what is sent to a bucket that somebody else has "
        "made under this name is theirs.",
    .severity = Severity::critical,
    .standards = kStandards,
    .after = {},
    .subjects = all_buckets,
    .observe = observe,
    .judge = judge,
    .plan = plan,
    .enforce = enforce,
    .undo = undo,
    .prove = prove};

}  // namespace enclave::control
