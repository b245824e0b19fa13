#include "control/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/time.h"
#include "control/fake_controls.h"
#include "control/waivers.h"
#include "io/system.h"

namespace enclave::control {
namespace {

using fake::FakeStorage;
using fake::kControl;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FakeClock : public Clock {
 public:
  std::int64_t wall_ns() override { return now_ns; }
  std::int64_t boot_ns() override { return now_ns; }
  std::int64_t now_ns = *parse_time("2027-06-30T12:00:00Z");
};

class Runner : public testing::Test {
 protected:
  Runner() {
    config_.storage.endpoint = "https://h";
    for (const auto name : {"one", "two"}) config_.buckets.emplace_back().name = name;
    directory_ = fmt::format("{}/runner-{}", testing::TempDir(), ::getpid());
  }
  ~Runner() override { std::filesystem::remove_all(directory_); }

  void waive(std::string control, std::string subject, std::string_view until) {
    auto& waiver = config_.waivers.emplace_back();
    waiver.control = std::move(control);
    waiver.subject = std::move(subject);
    waiver.reason = "old clients";
    waiver.until = until;
    waiver.until_ns = *parse_time(until) + 86'400LL * 1'000'000'000;
  }
  Plan plan() {
    auto made = make_plan(reach_, scope_);
    EXPECT_TRUE(made) << made.error().text();
    return made ? std::move(*made) : Plan();
  }
  std::vector<AppliedItem> apply(const Plan& planned) {
    journal_ = std::make_unique<UndoJournal>(world_, directory_, config_.storage.endpoint);
    return apply_plan(reach_, scope_, planned, *journal_);
  }
  std::vector<std::string> outcomes(const std::vector<AppliedItem>& items) {
    std::vector<std::string> out;
    for (const auto& one : items)
      if (one.item.selected)
        out.push_back(fmt::format("{} {} {}", one.item.control->id, one.item.subject.name, name_of(one.outcome)));
    return out;
  }
  std::vector<Audited> audited(bool prove = true) {
    auto all = audit(reach_, scope_, prove);
    EXPECT_TRUE(all) << all.error().text();
    return all ? std::move(*all) : std::vector<Audited>();
  }
  std::vector<std::string> states(const std::vector<Audited>& all) {
    std::vector<std::string> out;
    for (const auto& one : all)
      out.push_back(fmt::format("{} {} {}", one.item.control->id, one.item.subject.name, name_of(one.state)));
    return out;
  }
  std::vector<UndoneChange> undo() {
    const auto run = newest_to_undo(world_.files, directory_);
    EXPECT_TRUE(run) << run.error().text();
    if (!run || !*run) return {};
    auto undone = undo_run(reach_, scope_, **run, directory_);
    EXPECT_TRUE(undone) << undone.error().text();
    return undone ? std::move(*undone) : std::vector<UndoneChange>();
  }

  FakeClock clock_;
  World world_{clock_, io::real_files(), io::real_random()};
  pipeline::Config config_;
  FakeStorage storage_;
  Reach reach_{world_, config_, storage_};
  Scope scope_{fake::kReversible, {}, {}};
  std::string directory_;
  std::unique_ptr<UndoJournal> journal_;
};

TEST(InOrder, EachControlComesBehindThoseItNeedsAndOtherwiseStays) {
  std::vector<std::string_view> ids;
  for (const Control* control : in_order(fake::kAll)) ids.push_back(control->id);
  EXPECT_THAT(ids, ElementsAre("fake.exists", "fake.private", "fake.versioning", "fake.lock"));
  EXPECT_THAT(in_order({}), IsEmpty());
}

constexpr std::string_view kEgg[] = {"hen"}, kHen[] = {"egg"};

TEST(InOrderDeathTest, CirclesAndUnknownIdsAreBugs) {
  Control hen = kControl<fake::kExists>, egg = kControl<fake::kExists>;
  hen.id = "hen", hen.after = kHen;
  egg.id = "egg", egg.after = kEgg;
  const Control* const both[] = {&hen, &egg};
  EXPECT_DEATH((void)in_order(both), "ENSURE|in_order|next");
  const Control* const alone[] = {&hen};
  EXPECT_DEATH((void)in_order(alone), "ENSURE|in_order|any_of");
}

TEST_F(Runner, PlansEveryChangeAndMakesNone) {
  const Plan planned = plan();
  EXPECT_EQ(planned.items.size(), 6U);
  EXPECT_TRUE(planned.has_changes());
  EXPECT_EQ(planned.exit_status(), 2);
  EXPECT_EQ(storage_.changes, 0U);
  EXPECT_THAT(storage_.settings, IsEmpty());
}

TEST_F(Runner, ApplyingTwiceChangesNothingTheSecondTime) {
  const auto first = apply(plan());
  EXPECT_EQ(exit_status(first), 0);
  EXPECT_EQ(storage_.changes, 8U);
  EXPECT_EQ(storage_.settings["one"]["policy"], "deny");
  EXPECT_EQ(journal_->number(), 1U);
  const Plan again = plan();
  EXPECT_EQ(again.exit_status(), 0);
  const auto second = apply(again);
  EXPECT_EQ(storage_.changes, 8U);
  EXPECT_EQ(journal_->number(), 0U);
  for (const auto& one : second) EXPECT_EQ(one.outcome, Outcome::unchanged);
}

TEST_F(Runner, WhatFailsHoldsBackOnlyWhatNeedsIt) {
  storage_.settings["one"]["exists"] = "yes";
  storage_.unchangeable = {"exists"};
  const Plan planned = plan();
  const auto applied = apply(planned);
  EXPECT_THAT(outcomes(applied),
              ElementsAre("fake.exists one unchanged", "fake.exists two needs_user", "fake.private one done",
                          "fake.private two blocked", "fake.versioning one done", "fake.versioning two blocked"));
  EXPECT_EQ(applied[3].text, "fake.exists fails");
  EXPECT_TRUE(applied[3].foreseen);
  EXPECT_EQ(exit_status(applied), 0);
  EXPECT_FALSE(storage_.settings.contains("two"));
}

TEST_F(Runner, AnErrorInTheMiddleIsNamedAndHoldsBackWhatNeedsIt) {
  storage_.fail_at = 2;
  const auto applied = apply(plan());
  EXPECT_THAT(outcomes(applied),
              ElementsAre("fake.exists one done", "fake.exists two failed", "fake.private one failed",
                          "fake.private two blocked", "fake.versioning one failed", "fake.versioning two blocked"));
  EXPECT_EQ(applied[1].text, "the store is away");
  EXPECT_EQ(exit_status(applied), 1);
}

TEST_F(Runner, APromiseThatDidNotComeTrueIsNamed) {
  storage_.ignored = {"policy"};
  const auto applied = apply(plan());
  EXPECT_EQ(applied[2].outcome, Outcome::broken);
  EXPECT_THAT(applied[2].text, HasSubstr("policy of one: deny"));
  EXPECT_EQ(exit_status(applied), 2);
}

TEST_F(Runner, OnlyWhatThePlanSaidIsDone) {
  storage_.settings["one"] = {{"exists", "yes"}, {"versioning", "on"}, {"acl", "private"}};
  scope_.filter = {{"fake.private"}, {"one"}};
  const Plan planned = plan();
  storage_.settings["one"]["acl"] = "public";
  const auto applied = apply(planned);
  EXPECT_THAT(outcomes(applied), ElementsAre("fake.private one unplanned"));
  EXPECT_EQ(storage_.changes, 0U);
  EXPECT_EQ(exit_status(applied), 2);
}

TEST_F(Runner, WhatWasMendedMeanwhileIsLeftAlone) {
  const Plan planned = plan();
  EXPECT_EQ(exit_status(apply(planned)), 0);
  EXPECT_EQ(exit_status(apply(planned)), 0);
  EXPECT_EQ(storage_.changes, 8U);
}

TEST_F(Runner, WhatCannotBeObservedIsNeverChanged) {
  storage_.unreadable = {"exists"};
  const Plan planned = plan();
  EXPECT_FALSE(planned.has_changes());
  EXPECT_EQ(planned.exit_status(), 4);
  EXPECT_EQ(planned.items[2].blocked, "fake.exists could not be observed");
  EXPECT_EQ(exit_status(apply(planned)), 4);
  EXPECT_EQ(storage_.changes, 0U);
}

TEST_F(Runner, FilterTakesOneControlOfOneSubjectAndLooksAtWhatItNeeds) {
  storage_.settings["two"]["exists"] = "yes";
  scope_.filter = {{"fake.versioning"}, {"two"}};
  EXPECT_THAT(outcomes(apply(plan())), ElementsAre("fake.versioning two done"));
  EXPECT_EQ(storage_.changes, 1U);
  scope_.filter.subjects = {"one"};
  const Plan planned = plan();
  EXPECT_EQ(planned.items.back().blocked, "fake.exists is to be changed first, and is left out here");
  EXPECT_EQ(planned.exit_status(), 0);
  EXPECT_THAT(outcomes(apply(planned)), ElementsAre("fake.versioning one blocked"));
}

TEST_F(Runner, FilterThatNamesNothingSaysWhatIsNear) {
  scope_.filter = {{"fake.versionin"}, {}};
  EXPECT_EQ(make_plan(reach_, scope_).error().text(),
            "--only: there is no control \"fake.versionin\"; did you mean \"fake.versioning\"?");
  scope_.filter = {{}, {"tow"}};
  EXPECT_THAT(audit(reach_, scope_, true).error().text(), HasSubstr("--subject: there is no subject \"tow\""));
}

TEST_F(Runner, AWaivedControlIsLeftAsItIs) {
  waive("fake.private", "one", "2027-06-30");
  const auto applied = apply(plan());
  EXPECT_EQ(applied[2].outcome, Outcome::waived);
  EXPECT_EQ(applied[3].outcome, Outcome::done);
  EXPECT_FALSE(storage_.settings["one"].contains("acl"));
}

TEST_F(Runner, UndoGivesBackWhatWasThere) {
  storage_.settings["one"] = {{"exists", "yes"}, {"acl", "public"}};
  const auto before = storage_.settings;
  EXPECT_EQ(exit_status(apply(plan())), 0);
  EXPECT_NE(storage_.settings, before);
  const auto undone = undo();
  ASSERT_FALSE(undone.empty());
  EXPECT_EQ(undone.front().kept.control, "fake.versioning");
  EXPECT_EQ(storage_.settings, before);
  EXPECT_THAT(undo(), IsEmpty());
}

TEST_F(Runner, UndoTakesTheRunsBackwardsOneAtATime) {
  scope_.filter.controls = {"fake.exists"};
  (void)apply(plan());
  scope_.filter.controls.clear();
  (void)apply(plan());
  EXPECT_EQ(undo().size(), 6U);
  EXPECT_EQ(storage_.settings["one"]["exists"], "yes");
  EXPECT_EQ(undo().size(), 2U);
  EXPECT_THAT(storage_.settings, IsEmpty());
}

TEST_F(Runner, WhatCannotBeUndoneIsSaidAndDoesNotStandInTheWay) {
  scope_.controls = fake::kAll;
  (void)apply(plan());
  const auto undone = undo();
  EXPECT_EQ(undone.front().outcome, UndoneChange::Outcome::impossible);
  EXPECT_EQ(undone.back().outcome, UndoneChange::Outcome::undone);
  EXPECT_EQ(storage_.settings["one"].size(), 1U);
  EXPECT_THAT(undo(), IsEmpty());
}

TEST_F(Runner, AFailedUndoHoldsBackTheOlderChangesOfThatSubjectAndGoesOnLater) {
  (void)apply(plan());
  storage_.fail_at = storage_.changes + 1;
  auto undone = undo();
  ASSERT_EQ(undone.size(), 8U);
  EXPECT_EQ(undone[0].outcome, UndoneChange::Outcome::failed);
  EXPECT_EQ(undone[7].outcome, UndoneChange::Outcome::held);
  storage_.fail_at = 0;
  EXPECT_EQ(undo().size(), 8U);
  EXPECT_THAT(storage_.settings, IsEmpty());
}

TEST_F(Runner, UndoNeverTouchesAnotherEndpoint) {
  (void)apply(plan());
  config_.storage.endpoint = "https://elsewhere";
  const auto run = newest_to_undo(world_.files, directory_);
  ASSERT_TRUE(run && *run);
  const auto undone = undo_run(reach_, scope_, **run, directory_);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().fault(), Fault::conflict);
}

TEST_F(Runner, AuditGivesTheWorseOfReadingAndTrying) {
  (void)apply(plan());
  EXPECT_EQ(exit_status(audited()), 0);
  storage_.weak = {"acl"};
  const auto all = audited();
  EXPECT_EQ(all[2].state, State::fail);
  EXPECT_EQ(all[2].item.finding.state, State::pass);
  EXPECT_EQ(exit_status(all), 2);
  const auto read = audited(false);
  EXPECT_EQ(read[2].state, State::pass);
  EXPECT_TRUE(read[2].skipped);
}

TEST_F(Runner, ATrialThatCouldNotBeMadeIsNeverAPass) {
  (void)apply(plan());
  storage_.weak = {"error"};
  const auto all = audited();
  for (const auto& one : all) EXPECT_EQ(one.state, State::inconclusive);
  EXPECT_EQ(exit_status(all), 4);
}

TEST_F(Runner, NothingIsTriedOnABucketThatMayBeSomebodyElses) {
  (void)apply(plan());
  storage_.settings["one"]["exists"] = "somebody else's";
  const auto all = audited();
  EXPECT_THAT(states(all),
              ElementsAre("fake.exists one fail", "fake.exists two pass", "fake.private one inconclusive",
                          "fake.private two pass", "fake.versioning one inconclusive", "fake.versioning two pass"));
  EXPECT_THAT(storage_.tried, testing::Not(testing::Contains("fake.private one")));
}

TEST_F(Runner, AnErrorOfReadingIsInconclusive) {
  (void)apply(plan());
  storage_.unreadable = {"versioning"};
  const auto all = audited();
  EXPECT_EQ(all[4].state, State::inconclusive);
  EXPECT_EQ(all[4].item.finding.found, "versioning cannot be read");
  EXPECT_EQ(exit_status(all), 4);
}

TEST_F(Runner, AWaiverCountsUntilItsDayIsOverInUtc) {
  waive("fake.versioning", "", "2027-06-30");
  scope_.filter.controls = {"fake.versioning"};
  clock_.now_ns = *parse_time("2027-06-30T23:59:59.999999999Z");
  EXPECT_THAT(states(audited(false)), ElementsAre("fake.versioning one waived", "fake.versioning two waived"));
  EXPECT_EQ(exit_status(audited(false)), 0);
  clock_.now_ns += 1;
  const auto over = audited(false);
  EXPECT_THAT(states(over), ElementsAre("fake.versioning one fail", "fake.versioning two fail"));
  ASSERT_NE(over[0].item.expired_waiver, nullptr);
  EXPECT_EQ(exit_status(over), 2);
}

TEST_F(Runner, WaiversAreWarnedOfWhenTheyNameNothingOrEnd) {
  waive("fake.privat", "", "2027-12-31");
  waive("fake.private", "tow", "2027-12-31");
  waive("fake.private", "one", "2027-06-29");
  waive("fake.private", "", "2027-06-30");
  waive("fake.exists", "", "2027-07-13");
  waive("fake.exists", "", "2027-07-14");
  Diagnostics diagnostics;
  check_waivers(config_, fake::kAll, clock_.now_ns, diagnostics);
  EXPECT_EQ(diagnostics.text(),
            "warning: control: there is no control \"fake.privat\"; did you mean \"fake.private\"?\n"
            "warning: subject: fake.private is not applied to anything named \"tow\"; did you mean \"two\"?\n"
            "warning: until: the waiver of fake.private ended with 2027-06-29; it no longer counts\n"
            "warning: until: the waiver of fake.private ends with 2027-06-30, today\n"
            "warning: until: the waiver of fake.exists ends with 2027-07-13, in 13 days\n");
}

TEST(Undo, ALineThatWasCutOffSaysNothingAndOneInTheMiddleIsAnError) {
  const std::string head = R"({"format":"enclave-undo/1","time":"2027-06-30T00:00:00Z","target":"https://h"})";
  const std::string line =
      R"({"time":"2027-06-30T00:00:00Z","control":"a.b","kind":"bucket","subject":"one","what":"x","undo":"y"})";
  const auto run = parse_applied(head + "\n" + line + "\n" + line.substr(0, 40));
  ASSERT_TRUE(run) << run.error().text();
  ASSERT_EQ(run->changes.size(), 1U);
  EXPECT_EQ(run->changes[0].change.undo, "y");
  EXPECT_EQ(run->target, "https://h");
  EXPECT_EQ(parse_applied(head + "\n{\"time\n" + line + "\n").error().text(), "line 2 is not a JSON object");
  EXPECT_EQ(parse_applied("{\"format\":\"enclave-undo/2\"}\n").error().fault(), Fault::unsupported);
  EXPECT_EQ(
      parse_applied(head + "\n" + line + "\n" + line.substr(0, 20) + std::string(50, '\0') + "\n")->changes.size(), 1U);
  EXPECT_TRUE(parse_applied("")->changes.empty());
}

}  // namespace
}  // namespace enclave::control
