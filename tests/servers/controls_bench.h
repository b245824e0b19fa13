#pragma once

#include <filesystem>
#include <fstream>
#include <map>

#include "cloud/s3_xml.h"
#include "control/runner.h"
#include "control/storage_reach.h"
#include "controls_support.h"
#include "io/host.h"

namespace enclave::control {

/// An enclave.yaml of its own against a real server, and the verbs as functions.
class Enclave {
 public:
  /// `buckets`: the lines below "buckets:"; `storage`: further lines of that section. "$DATA" and "$LOGS" are names of
  /// new buckets.
  explicit Enclave(const std::string& buckets, const std::string& storage = "") {
    char pattern[] = "/tmp/enclave-controls-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    data_ = new_bucket_name();
    logs_ = new_bucket_name();
    write_keys("writer.keys", variable("S3_OTHER_ACCESS_KEY"), variable("S3_OTHER_SECRET_KEY"));
    text_ = fmt::format(
        "enclave: test\nstate: {0}/state\nstorage:\n  endpoint: {1}\n  region: {2}\n  ca: {3}\n  plain_endpoint: {4}\n"
        "{5}buckets:\n{6}",
        directory_, variable("S3_ENDPOINT"), variable("S3_REGION"), variable("S3_CA"), variable("S3_PLAIN_ENDPOINT"),
        filled(storage), filled(buckets));
    Diagnostics diagnostics;
    config_ = pipeline::parse_config_text(text_, directory_ + "/enclave.yaml", diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.text() << text_;
    std::filesystem::create_directories(config_.state);
    share_capabilities(true);
    storage_ = open_storage(io::real_world(), config_, [](std::string_view name) -> std::optional<std::string> {
      const char* value = std::getenv(std::string(name).c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    });
  }
  Enclave(const Enclave&) = delete;
  Enclave& operator=(const Enclave&) = delete;
  ~Enclave() {
    share_capabilities(false);
    for (const auto& name : {data_, logs_}) empty(name);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  const std::string& data() const { return data_; }
  const std::string& logs() const { return logs_; }
  const std::string& directory() const { return directory_; }
  const std::string& text() const { return text_; }
  const pipeline::Config& config() const { return config_; }

  cloud::S3Bucket& as(As who, const std::string& name) {
    auto bucket = storage_->bucket(name, who);
    EXPECT_TRUE(bucket) << bucket.error().text();
    return **bucket;
  }
  cloud::S3Bucket& owner(const std::string& name) { return as(As::owner, name); }
  /// As the owner, behind enclave's back.
  cloud::S3Answer send(const std::string& bucket, const cloud::S3Request& request) {
    auto answer = owner(bucket).ask(request);
    EXPECT_TRUE(answer) << answer.error().text();
    return answer ? *answer : cloud::S3Answer{};
  }
  void must_send(const std::string& bucket, const cloud::S3Request& request) {
    const auto answer = send(bucket, request);
    EXPECT_TRUE(answer.good()) << answer.evidence();
  }

  Reach reach() { return {io::real_world(), config_, *storage_}; }
  Scope scope(Strings controls = {}) { return {all_controls(), {std::move(controls), {}}, nullptr}; }

  Plan plan(Strings controls = {}) {
    auto r = reach();
    auto made = make_plan(r, scope(std::move(controls)));
    EXPECT_TRUE(made) << made.error().text();
    return made ? *made : Plan{};
  }
  std::vector<AppliedItem> apply(Strings controls = {}) {
    auto r = reach();
    UndoJournal journal(io::real_world(), undo_directory(config_.state), config_.storage.endpoint);
    return apply_plan(r, scope(controls), plan(controls), journal);
  }
  /// "storage.private of NAME: text" of what was not done or kept as it was.
  std::string troubles(const std::vector<AppliedItem>& applied) {
    std::string text;
    for (const auto& one : applied)
      if (one.outcome != Outcome::done && one.outcome != Outcome::unchanged)
        text += fmt::format("{} of {}: {} {} {}\n", one.item.control->id, one.item.subject.name, name_of(one.outcome),
                            one.text, one.item.finding.found);
    return text;
  }
  /// State by "control name"; `data` and `logs` stand for the buckets' names.
  std::map<std::string, State> audit_states(Strings controls = {}) {
    auto r = reach();
    auto audited = control::audit(r, scope(std::move(controls)), true);
    EXPECT_TRUE(audited) << audited.error().text();
    std::map<std::string, State> states;
    last_.clear();
    if (!audited) return states;
    for (const auto& one : *audited) {
      const std::string name =
          fmt::format("{} {}", one.item.control->id, one.item.subject.name == data_ ? "data" : "logs");
      states[name] = one.state;
      last_ += fmt::format("{}: {}; {}\n", name, name_of(one.state), one.item.finding.found);
      for (const auto& trial : one.trials)
        last_ += fmt::format("  {}: {} ({})\n", trial.tried, name_of(trial.state), trial.found);
    }
    return states;
  }
  State state_of(const std::string& control, const std::string& bucket = "data") {
    const auto states = audit_states({control});
    const auto found = states.find(control + " " + bucket);
    return found == states.end() ? State::not_applicable : found->second;
  }
  /// What the last audit found, to be shown by a failure.
  const std::string& last() const { return last_; }

  std::string undo() {
    auto r = reach();
    const std::string directory = undo_directory(config_.state);
    const auto run = newest_to_undo(io::real_world().files, directory);
    if (!run || !*run) return "nothing to undo";
    const auto undone = undo_run(r, scope(), **run, directory);
    if (!undone) return undone.error().text();
    std::string text;
    for (const auto& one : *undone)
      if (one.outcome != UndoneChange::Outcome::undone) text += one.kept.change.what + ": " + one.text + "\n";
    return text;
  }

  void write_keys(const std::string& name, const std::string& access, const std::string& secret) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << "[default]\naws_access_key_id = " << access << "\naws_secret_access_key = " << secret
                        << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

 private:
  std::string filled(std::string text) const {
    const std::pair<std::string, std::string> names[] = {{"$DATA", data_}, {"$LOGS", logs_}, {"$DIR", directory_}};
    for (const auto& [from, to] : names)
      for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) text.replace(at, from.size(), to);
    return text;
  }

  // The server is the same for all tests of this process, and asking it takes seconds.
  void share_capabilities(bool in) const {
    static const std::string shared = fmt::format("/tmp/enclave-controls-capabilities-{}", ::getpid());
    static const struct Remover {
      ~Remover() {
        std::error_code ignored;
        std::filesystem::remove_all(shared, ignored);
      }
    } remover;
    std::error_code ignored;
    const auto options = std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing;
    const std::string mine = config_.state + "/storage";
    std::filesystem::copy(in ? shared : mine, in ? mine : shared, options, ignored);
  }

  void empty(const std::string& name) {
    auto opened = open_as_owner(name);
    if (!opened) return;
    cloud::S3Bucket& bucket = **opened;
    (void)bucket.remove(cloud::Setting::policy, true);
    const auto listed = bucket.ask({.method = "GET", .query = {{"versions", ""}}, .response_bytes_max = 16 << 20});
    const auto page = listed && listed->good() ? cloud::parse_versions(listed->response.body) : cloud::ListPage{};
    if (!page) return;
    for (const auto& entry : page->entries) {
      cloud::S3Request remove{.method = "DELETE", .key = entry.key};
      if (!entry.version.empty()) remove.query = {{"versionId", entry.version}};
      remove.headers = {{"x-amz-bypass-governance-retention", "true"}};
      (void)bucket.ask(remove);
    }
    (void)bucket.destroy();
  }

  std::string directory_, data_, logs_, text_, last_;
  pipeline::Config config_;
  std::unique_ptr<Storage> storage_;
};

}  // namespace enclave::control
