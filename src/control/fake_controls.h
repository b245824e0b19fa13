#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "control/control.h"
#include "control/storage_reach.h"

/// For tests of the runner: a store in memory whose buckets have settings, and controls that want values of them.
namespace enclave::control::fake {

/// bucket → setting → value. A setting that is not there was never made.
using Settings = std::map<std::string, std::map<std::string, std::string>>;

class FakeStorage : public Storage {
 public:
  bool is_s3() const override { return true; }
  Result<cloud::S3Bucket*> bucket(const std::string&, As, Way) override {
    return Error{Fault::unsupported, "there are no buckets here"};
  }
  Result<const cloud::Capabilities*> capabilities() override { return Error{Fault::unsupported, "nothing is known"}; }
  Result<const cloud::Capabilities*> probe(const std::function<void(std::string_view)>&) override {
    return capabilities();
  }

  Settings settings;
  std::set<std::string> unreadable;    ///< settings that cannot be observed
  std::set<std::string> ignored;       ///< accepted and not stored
  std::set<std::string> unchangeable;  ///< only the user can change them
  std::set<std::string> weak;          ///< read well and fail when tried
  std::uint64_t changes = 0;           ///< made so far
  std::uint64_t fail_at = 0;           ///< the change with this number, counted from 1, and all later ones fail
  std::vector<std::string> tried;      ///< by prove()

  Result<void> set(const std::string& bucket, const std::string& name, const std::string* value) {
    if (fail_at != 0 && changes + 1 >= fail_at) return Error{Fault::busy, "the store is away"};
    ++changes;
    if (ignored.contains(name)) return {};
    if (value == nullptr) {
      settings[bucket].erase(name);
      if (settings[bucket].empty()) settings.erase(bucket);
    } else {
      settings[bucket][name] = *value;
    }
    return {};
  }
};

struct Wanted {
  std::string_view setting, value;
};
struct Spec {
  std::string_view id;
  std::array<Wanted, 2> wanted;  ///< the second one may be empty
  std::array<std::string_view, 2> after;
  std::size_t after_count;
  bool reversible = true;
};

inline constexpr Spec kExists{"fake.exists", {{{"exists", "yes"}, {}}}, {}, 0};
inline constexpr Spec kVersioning{"fake.versioning", {{{"versioning", "on"}, {}}}, {"fake.exists"}, 1};
inline constexpr Spec kPrivate{"fake.private", {{{"acl", "private"}, {"policy", "deny"}}}, {"fake.exists"}, 1};
inline constexpr Spec kLock{
    "fake.lock", {{{"lock", "on"}, {}}}, {"fake.versioning", "fake.private"}, 2, /*reversible=*/false};

inline FakeStorage& fake_of(Reach& reach) { return static_cast<FakeStorage&>(reach.storage); }

inline std::vector<Subject> buckets_of(const pipeline::Config& config) {
  std::vector<Subject> subjects;
  for (const auto& bucket : config.buckets) subjects.push_back({"bucket", bucket.name});
  return subjects;
}

template <const Spec& S>
Result<Facts> observe(Reach& reach, const Subject& subject) {
  auto& storage = fake_of(reach);
  Facts facts;
  for (const auto& [setting, value] : S.wanted) {
    if (setting.empty()) continue;
    const std::string name(setting);
    if (storage.unreadable.contains(name)) return Error{Fault::busy, "{} cannot be read", name};
    if (storage.unchangeable.contains(name)) facts.all.push_back({"unchangeable", "yes", ""});
    const auto found = storage.settings[subject.name].find(name);
    if (found != storage.settings[subject.name].end()) facts.all.push_back({name, found->second, ""});
    if (storage.settings[subject.name].empty()) storage.settings.erase(subject.name);
  }
  return facts;
}

template <const Spec& S>
std::vector<Step> plan(const Facts& facts, const pipeline::Config&, const Subject& subject) {
  std::vector<Step> steps;
  if (facts.find("unchangeable") != nullptr) return steps;
  for (const auto& [setting, value] : S.wanted)
    if (!setting.empty() && facts.value(setting) != value)
      steps.push_back({fmt::format("{} of {}: {}", setting, subject.name, value), std::string(facts.value(setting)),
                       std::string(value), "", S.reversible});
  return steps;
}

template <const Spec& S>
Finding judge(const Facts& facts, const pipeline::Config&, const Subject&) {
  Finding finding{State::pass, "", "", "", ""};
  for (const auto& [setting, value] : S.wanted) {
    if (setting.empty() || facts.value(setting) == value) continue;
    finding.state = State::fail;
    finding.expected = fmt::format("{} is {}", setting, value);
    finding.found = fmt::format("{} is \"{}\"", setting, facts.value(setting));
    if (facts.find("unchangeable") != nullptr) finding.remedy = "ask whoever runs the server";
  }
  return finding;
}

template <const Spec& S>
Result<void> enforce(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep) {
  for (const auto& [setting, value] : S.wanted) {
    if (setting.empty() || facts.value(setting) == value) continue;
    const Fact* before = facts.find(setting);
    TRY(keep({fmt::format("{} of {}", setting, subject.name),
              !S.reversible ? "" : fmt::format("{}{}", setting, before == nullptr ? "" : "=" + before->value)}));
    const std::string wanted(value);
    TRY(fake_of(reach).set(subject.name, std::string(setting), &wanted));
  }
  return {};
}

inline Result<void> undo(Reach& reach, const Subject& subject, const Change& change) {
  const std::size_t equal = change.undo.find('=');
  const std::string setting = change.undo.substr(0, equal);
  if (equal == std::string::npos) return fake_of(reach).set(subject.name, setting, nullptr);
  const std::string value = change.undo.substr(equal + 1);
  return fake_of(reach).set(subject.name, setting, &value);
}

template <const Spec& S>
Result<std::vector<Trial>> prove(Reach& reach, const Subject& subject) {
  auto& storage = fake_of(reach);
  const std::string setting(S.wanted[0].setting);
  storage.tried.push_back(fmt::format("{} {}", S.id, subject.name));
  if (storage.weak.contains("error")) return Error{Fault::busy, "the store is away"};
  const bool weak = storage.weak.contains(setting);
  return std::vector<Trial>{
      {"to get round " + setting, "refused", weak ? "200" : "403", weak ? State::fail : State::pass, "GET /"}};
}

inline constexpr Standard kStandards[] = {{"NIST SP 800-53 rev. 5", "AC-3"}};

template <const Spec& S>
inline const Control kControl{.id = S.id,
                              .title = "A setting has the value that is wanted.",
                              .why = "Nothing; it is a fake.",
                              .severity = Severity::high,
                              .standards = kStandards,
                              .after = std::span(S.after).first(S.after_count),
                              .subjects = buckets_of,
                              .observe = observe<S>,
                              .judge = judge<S>,
                              .plan = plan<S>,
                              .enforce = enforce<S>,
                              .undo = undo,
                              .prove = prove<S>};

/// The last first, so that the order has to be found. Without the one that cannot be undone.
inline const Control* const kReversible[] = {&kControl<kPrivate>, &kControl<kVersioning>, &kControl<kExists>};
inline const Control* const kAll[] = {&kControl<kLock>, &kControl<kPrivate>, &kControl<kVersioning>,
                                      &kControl<kExists>};

}  // namespace enclave::control::fake
