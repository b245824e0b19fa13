#include "cloud/s3_xml.h"
#include "control/storage_tools.h"

namespace enclave::control {
namespace {

using cloud::Logging;
using cloud::S3Bucket;
using cloud::Setting;

constexpr Standard kStandards[] = {{kNist, "AU-2"}, {kNist, "AU-12"}, {kNist, "AC-6(9)"}, {kFsbp, "S3.9"}};
constexpr std::string_view kAfter[] = {"storage.exists"};

// The log bucket's own log would grow by itself.
std::vector<Subject> subjects(const pipeline::Config& config) {
  std::vector<Subject> all;
  for (auto& subject : all_buckets(config))
    if (!is_log_bucket(config, subject.name)) all.push_back(subject);
  return all;
}

// Servers deliver nothing into a bucket whose default retention would hold the log.
bool can_take_logs(const pipeline::Config& config) { return wanted_bucket(config, config.log_bucket()).lock == "none"; }

Logging wanted_logging(const pipeline::Config& config, const Subject& subject) {
  return {true, config.log_bucket(), fmt::format("access/{}/", subject.name)};
}

std::string text_of(const Logging& logging) {
  return logging.enabled ? fmt::format("into {} below {}", logging.bucket, logging.prefix) : "off";
}

Result<Facts> observe(Reach& reach, const Subject& subject) {
  Facts facts;
  S3Bucket* bucket = TRY(our_bucket(reach, subject, facts));
  const auto* capabilities = TRY(reach.storage.capabilities());
  const auto support = capabilities->of("logging");
  add(facts, "support", cloud::name_of(support));
  if (bucket == nullptr || (support != cloud::Support::works && support != cloud::Support::refused)) return facts;
  const std::string document = TRY(read_setting(*bucket, Setting::logging));
  Logging found;
  if (!document.empty()) found = TRY(cloud::parse_logging(document));
  add(facts, "logging", text_of(found), document);
  return facts;
}

bool is_there(const Facts& facts) {
  return facts.value("support") == cloud::name_of(cloud::Support::works) ||
         facts.value("support") == cloud::name_of(cloud::Support::refused);
}

Finding judge(const Facts& facts, const pipeline::Config& config, const Subject&) {
  Finding finding{State::fail, "the server logs each request to this bucket", "", "", ""};
  if (!is_there(facts)) {
    finding.state = State::not_applicable;
    finding.found = fmt::format("this server offers its users no log of a bucket ({})", facts.value("support"));
    finding.remedy = "ask who runs the server for its operation log";
    return finding;
  }
  if (auto missing = judge_ownership(facts)) return *missing;
  const Fact& logging = *facts.find("logging");
  finding.found = logging.value;
  finding.evidence = logging.evidence;
  if (logging.value != "off") {
    finding.state = State::pass;
  } else if (!can_take_logs(config)) {
    finding.remedy = fmt::format(
        "{} has a default retention, and servers deliver no access logs into such a bucket: make one for them, and "
        "name it as the target of this bucket's logging",
        config.log_bucket());
  }
  return finding;
}

std::string step_of(const Subject& subject) { return fmt::format("access log of {}: on", subject.name); }

std::vector<Step> plan(const Facts& facts, const pipeline::Config& config, const Subject& subject) {
  if (is_others(facts) || !is_there(facts) || !can_take_logs(config)) return {};
  const std::string_view now = facts.value("logging");
  if (!now.empty() && now != "off") return {};
  return {{step_of(subject), std::string(now), text_of(wanted_logging(config, subject)), "", true}};
}

Result<void> enforce(Reach& reach, const Subject& subject, const Facts&, const Keep& keep) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string before = TRY(read_setting(*bucket, Setting::logging));
  TRY(keep({step_of(subject), keep_document(before)}));
  return bucket->write(Setting::logging, cloud::format_logging(wanted_logging(reach.config, subject)));
}

Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const std::string document = TRY(kept_document(change));
  Logging before;
  if (!document.empty()) before = TRY(cloud::parse_logging(document));
  return bucket->write(Setting::logging, cloud::format_logging(before));
}

bool is_in_log(S3Bucket& target, const std::string& prefix, std::string_view word) {
  const auto listed = target.ask({.method = "GET",
                                  .query = {{"list-type", "2"}, {"max-keys", "1000"}, {"prefix", prefix}},
                                  .response_bytes_max = cloud::kListBytesMax});
  const auto page = listed && listed->good() ? cloud::parse_objects(listed->response.body) : cloud::ListPage{};
  if (!page) return false;
  constexpr std::size_t kLooked = 20;
  const auto& entries = page->entries;
  for (std::size_t i = entries.size() > kLooked ? entries.size() - kLooked : 0; i < entries.size(); ++i) {
    const auto log = target.ask({.method = "GET", .key = entries[i].key, .response_bytes_max = 4 << 20});
    if (log && log->good() && log->response.body.find(word) != std::string::npos) return true;
  }
  return false;
}

// Servers deliver hours later: what an earlier audit did should be there by now.
Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  constexpr std::string_view kTried = "finding this audit's canaries in the log";
  S3Bucket* bucket = TRY(reach.storage.bucket(subject.name));
  const Logging logging = TRY(cloud::parse_logging(TRY(bucket->read(Setting::logging))));
  if (!logging.enabled) return std::vector<Trial>{trial_of(kTried, "found", "logging is off", State::fail)};
  CanaryObjects canaries = TRY(CanaryObjects::open(reach, *bucket));
  (void)bucket->ask(request_of("GET", canaries.new_key()));
  S3Bucket* target = TRY(reach.storage.bucket(logging.bucket));
  const bool found = is_in_log(*target, logging.prefix, "enclave-canary");
  return std::vector<Trial>{trial_of(kTried, "found", found ? "found" : "not yet: servers deliver hours later",
                                     found ? State::pass : State::inconclusive)};
}

}  // namespace

extern const Control control_access_logged;
const Control control_access_logged{
    .id = "storage.access_logged",
    .title = "The server logs who asked for what in a bucket.",
    .why = "Our own log shows what went through enclave; only the server sees requests with stolen keys.",
    .severity = Severity::medium,
    .standards = kStandards,
    .after = kAfter,
    .subjects = subjects,
    .observe = observe,
    .judge = judge,
    .plan = plan,
    .enforce = enforce,
    .undo = undo,
    .prove = prove};

}  // namespace enclave::control
