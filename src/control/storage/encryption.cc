#include <algorithm>

#include "cloud/s3_xml.h"
#include "control/storage_tools.h"
#include "crypto/age.h"
#include "keys/keys.h"

namespace enclave::control {
namespace {

using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {{kNist, "SC-28"}, {kNist, "SC-28(1)"}, {kNist, "SC-13"}, {kNist, "SC-12"}};
constexpr std::string_view kAfter[] = {"storage.exists"};
constexpr std::string_view kMagic = "age-encryption.org/v1\n-> ";
constexpr std::size_t kSampled = 20;
constexpr std::string_view kServerAlgorithm = "AES256";

/// Without configured recipients the file provider keeps an identity on this machine, as it does for the log.
bool has_own_identity(const pipeline::Config& config, const Subject& subject) {
  return !is_log_bucket(config, subject.name) && config.keys.provider == "file" &&
         wanted_bucket(config, subject.name).recipients.empty();
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  if (has_own_identity(reach.config, subject)) {
    const std::string path = reach.config.data_identity(subject.name);
    const auto found = reach.world.files.info(path);
    if (!found && found.error().fault() != Fault::absent) return found.error();
    add(facts, "identity", found ? "here" : "absent", path);
  }
  const bool by_server = TRY(reach.storage.capabilities())->works("bucket_encryption");
  add(facts, "server", by_server ? "off" : "absent");
  if (bucket == nullptr || !by_server) return facts;
  const std::string document = TRY(read_setting(*bucket, Setting::encryption));
  if (document.empty()) return facts;
  facts.all.pop_back();
  add(facts, "server", TRY(cloud::parse_encryption(document)).algorithm, document);
  return facts;
}

// The log of the file provider has a recipient from its first run on.
std::size_t recipients_for(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  if (has_own_identity(config, subject)) return facts.value("identity") == "here" ? 1 : 0;
  if (!is_log_bucket(config, subject.name)) return wanted_bucket(config, subject.name).recipients.size();
  return std::max<std::size_t>(config.keys.recipients.size(), config.keys.provider == "file" ? 1 : 0);
}

Finding judge(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  if (auto missing = judge_ownership(facts)) return *missing;
  Finding finding{State::pass, "encrypted to a recipient before it is sent", "", "", ""};
  const std::size_t recipients = recipients_for(facts, config, subject);
  finding.found = recipients == 1 ? "1 recipient" : fmt::format("{} recipients", recipients);
  const std::string_view server = facts.value("server");
  finding.found += server == "absent" ? "; the server encrypts nothing by default"
                                      : fmt::format("; encryption by the server: {}", server);
  if (server == "off") finding.state = State::fail;
  if (recipients > 0) return finding;
  finding.state = State::fail;
  if (has_own_identity(config, subject)) return finding;
  finding.remedy = fmt::format(
      "make an identity (age-keygen -o {}.key), keep it away from this machine, and give its recipient as "
      "recipients: [age1…] of this bucket in enclave.yaml",
      subject.name);
  return finding;
}

std::string step_of(const Subject& subject) { return fmt::format("encryption of {} by the server: on", subject.name); }

std::string identity_step_of(const Subject& subject) { return fmt::format("identity of {}: make it", subject.name); }

std::vector<Step> plan(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  std::vector<Step> steps;
  if (is_others(facts)) return steps;
  if (facts.value("identity") == "absent") {
    Step step;
    step.what = identity_step_of(subject);
    step.after = config.data_identity(subject.name);
    step.caution =
        "who has this file can read the bucket, and without it nobody can: keep a copy in a safe place, move it away "
        "from this machine, and name its recipient below recipients: of the bucket; it is not removed by --undo";
    step.reversible = false;
    steps.push_back(std::move(step));
  }
  if (facts.value("server") == "off")
    steps.push_back({step_of(subject), "off", std::string(kServerAlgorithm), "", true});
  return steps;
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  if (facts.value("identity") == "absent") {
    TRY(keep({identity_step_of(subject), ""}));
    TRY(keys::load_or_make_identity(reach.world.files, reach.config.data_identity(subject.name), reach.world.random,
                                    reach.world.clock));
  }
  if (facts.value("server") != "off") return {};
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string before = TRY(read_setting(*bucket, Setting::encryption));
  TRY(keep({step_of(subject), keep_document(before)}));
  return bucket->write(Setting::encryption, cloud::format_encryption({std::string(kServerAlgorithm), ""}));
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  return put_back(reach, *bucket, Setting::encryption, TRY(kept_document(change)));
}

Result<std::vector<crypto::AgeRecipient>> recipients_of(const Reach& reach, const Subject& subject) {
  const bool log = is_log_bucket(reach.config, subject.name);
  std::vector<crypto::AgeRecipient> recipients;
  if (has_own_identity(reach.config, subject)) {
    const std::string path = reach.config.data_identity(subject.name);
    for (const auto& identity : TRY(keys::load_identities(reach.world.files, path)))
      recipients.push_back(identity.recipient());
    return recipients;
  }
  for (const auto& text : log ? reach.config.keys.recipients : wanted_bucket(reach.config, subject.name).recipients)
    recipients.push_back(TRY(crypto::AgeRecipient::parse(text)));
  return recipients;
}

// Sealed to the configured recipients and to an identity that lives as long as this trial.
Result<void> try_canary(Reach& reach, const Subject& subject, S3Bucket& bucket, std::vector<Trial>& trials) {
  constexpr std::string_view kText = "what stands in the canary object";
  auto recipients = TRY(recipients_of(reach, subject));
  const auto identity = crypto::AgeIdentity::generate(reach.world.random);
  recipients.push_back(identity.recipient());
  const std::string_view parts[] = {kText};
  const std::string sealed = TRY(crypto::age_encrypt(recipients, parts, reach.world.random));
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, bucket));
  const std::string key = canaries.new_key();
  trials.push_back(must_work("putting a sealed canary object", canaries.put(key, sealed)));
  const auto raw = bucket.ask(request_of("GET", key));
  if (!raw || !raw->good()) {
    trials.push_back(must_work("raw GET of the canary", raw));
    return {};
  }
  const std::string& body = raw->response.body;
  const bool cipher = body.starts_with(kMagic) && body.find(kText) == std::string::npos;
  trials.push_back(trial_of("raw GET of the canary", "an age file, nothing readable", cipher ? "an age file" : "plain",
                            cipher ? State::pass : State::fail,
                            fmt::format("{}\n{}", raw->request, body.substr(0, body.find("\n---")))));
  const auto opened = crypto::age_decrypt(body, std::span(&identity, 1));
  const bool same = opened && *opened == kText;
  trials.push_back(trial_of("opening it with an identity", "what was put",
                            same ? "what was put" : (opened ? "something else" : opened.error().text()),
                            same ? State::pass : State::fail));
  return {};
}

// In the log bucket the tree and the checkpoints are meant to be read by everybody who may verify.
bool should_be_sealed(bool log, const cloud::ObjectInfo& info) {
  if (log) return info.key.starts_with("v1/") && info.key.ends_with(".age");
  return !info.key.starts_with("enclave-canary/") && info.bytes > 0;
}

Trial raw_get(S3Bucket& bucket, const std::string& key) {
  auto request = request_of("GET", key);
  request.headers = {{"range", "bytes=0-63"}};
  request.response_bytes_max = 64 << 10;
  const std::string tried = fmt::format("raw GET of {}", key);
  const auto head = bucket.ask(request);
  if (!head || !head->good()) {
    Trial trial = must_work(tried, head);
    trial.state = State::inconclusive;
    return trial;
  }
  const bool sealed = head->response.body.starts_with(kMagic);
  return trial_of(tried, "an age file", sealed ? "an age file" : "plain", sealed ? State::pass : State::fail,
                  fmt::format("{}\n{}\n{}", head->request, head->outcome(), sealed ? kMagic : "not an age file"));
}

// The latest of the first thousand, as names of sealed objects count up.
Result<void> try_samples(Reach& reach, const Subject& subject, S3Bucket& bucket, std::vector<Trial>& trials) {
  const bool log = is_log_bucket(reach.config, subject.name);
  const auto listed = TRY(bucket.ask({.method = "GET",
                                      .query = {{"list-type", "2"}, {"max-keys", "1000"}, {"encoding-type", "url"}},
                                      .response_bytes_max = cloud::kListBytesMax}));
  auto entries = TRY(cloud::parse_objects(listed.response.body)).entries;
  std::erase_if(entries, [&](const auto& info) { return !should_be_sealed(log, info); });
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.modified_ns > b.modified_ns; });
  entries.resize(std::min(entries.size(), kSampled));
  Trial summary = trial_of(fmt::format("raw GET of the {} latest objects that were looked at", entries.size()),
                           "age files", "age files", State::pass);
  for (const auto& entry : entries) {
    Trial trial = raw_get(bucket, entry.key);
    if (trial.state != State::pass)
      trials.push_back(std::move(trial));
    else
      summary.evidence += fmt::format("{}: {}\n", trial.tried, trial.found);
  }
  summary.evidence.resize(std::min(summary.evidence.size(), kEvidenceBytesMax));
  if (!summary.evidence.empty()) trials.push_back(std::move(summary));
  return {};
}

Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  std::vector<Trial> trials;
  TRY(try_canary(reach, subject, *bucket, trials));
  TRY(try_samples(reach, subject, *bucket, trials));
  return trials;
}

}  // namespace

extern const Control control_encryption;
const Control control_encryption{
    .id = "storage.encryption",
    .title = "What is in a bucket was encrypted before it was sent.",
    .why =
        "The server, its operators and whoever gets a copy of its disks read what is not. Some servers accept a "
        "request to encrypt and store plain text.",
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
