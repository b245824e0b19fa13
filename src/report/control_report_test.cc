#include "report/control_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <sstream>

#include "report/diff.h"
#include "report/layout.h"

namespace enclave::report {
namespace {

using control::Audited;
using control::Item;
using control::State;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr control::Standard kStandards[] = {{"NIST SP 800-53 rev. 5", "AC-3"}, {"CIS AWS 3.0", "2.1.4"}};

const control::Control& card() {
  static const control::Control kCard{.id = "storage.private",
                                      .title = "Nobody but the owner reads or writes a bucket.",
                                      .why = "A bucket that is public is found within hours.",
                                      .severity = control::Severity::critical,
                                      .standards = kStandards,
                                      .after = {},
                                      .subjects = nullptr,
                                      .observe = nullptr,
                                      .judge = nullptr,
                                      .plan = nullptr,
                                      .enforce = nullptr,
                                      .undo = nullptr,
                                      .prove = nullptr};
  return kCard;
}

Item item(State state, std::string name = "data-storage-bucket-001") {
  Item one;
  one.control = &card();
  one.subject = {"bucket", std::move(name)};
  one.finding.state = state;
  return one;
}

Item changing() {
  Item one = item(State::fail);
  one.steps.push_back({"acl of data-storage-bucket-001: private", "owner: all\neverybody: read", "owner: all",
                       "anonymous readers lose access", false});
  return one;
}

Audited audited(Item one) {
  Audited out;
  out.state = one.finding.state;
  out.item = std::move(one);
  return out;
}

void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(width_of(line), kColumns) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

void expect_json(const std::string& text) {
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(text).error(), simdjson::SUCCESS) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

std::string marked(std::string_view before, std::string_view after) {
  std::string out;
  for (const auto& line : diff_lines(before, after)) out += fmt::format("{}{}|", line.mark, line.text);
  return out;
}

TEST(Diff, IsTheShortestWithALittleAround) {
  EXPECT_EQ(marked("", "a\nb"), "+a|+b|");
  EXPECT_EQ(marked("a\nb\n", ""), "-a|-b|");
  EXPECT_EQ(marked("a\nb\nc", "a\nx\nc"), " a|-b|+x| c|");
  EXPECT_EQ(marked("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6\nx"), "@3 lines that stay| 4| 5| 6|-7|+x|");
  EXPECT_EQ(marked("same", "same"), " same|");
}

TEST(Layout, KeepsForeignBytesFromSteeringTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2J\tb\xc2\x9b\x7f\xc3\xa9"), "a?[2J b??\xc3\xa9");
  EXPECT_EQ(wrapped("one\ntwo", "- ", "  "), "- one\n  two\n");
}

TEST(Layout, KeepsAWideGapButNotWhereALineEnds) {
  EXPECT_EQ(wrapped("MODIFIED  key   ", "", "  "), "MODIFIED  key\n");
  EXPECT_EQ(wrapped("a\n   b  c", "", "  "), "a\n  b  c\n");
  const std::string word(39, 'x');
  EXPECT_EQ(wrapped(word + "  " + word, "", "  "), word + "  " + word + "\n");
  EXPECT_EQ(wrapped(word + "   " + word, "", "  "), word + "\n  " + word + "\n");
  EXPECT_EQ(wrapped("a" + std::string(500, ' ') + "b", "", "  "), "a\n  b\n");
}

TEST(PlanText, ShowsWhatGoesAndWhatComes) {
  control::Plan plan;
  plan.items = {changing(), item(State::pass, "logs")};
  EXPECT_EQ(plan_text(plan, "https://h"),
            "storage.private on data-storage-bucket-001\n"
            "  Nobody but the owner reads or writes a bucket.\n"
            "  ~ acl of data-storage-bucket-001: private\n"
            "        owner: all\n"
            "      - everybody: read\n"
            "    Caution: anonymous readers lose access\n"
            "    This cannot be undone.\n"
            "\n"
            "1 change to make on 1 subject, 1 of them cannot be undone; 1 of 2 controls in\n"
            "force.\n");
  expect_json(plan_json(plan, "https://h"));
}

TEST(PlanText, SaysWhyTheRestIsLeftAsItIs) {
  pipeline::WaiverConfig waiver;
  waiver.until = "2027-06-30";
  waiver.reason = "old clients";
  control::Plan plan;
  for (int i = 0; i < 4; ++i) plan.items.push_back(changing());
  plan.items[0].steps.clear();
  plan.items[0].finding.found = "it is " + std::string(200, 'x') + " public";
  plan.items[0].finding.remedy = "ask whoever runs the server";
  plan.items[1].waiver = &waiver;
  plan.items[2].blocked = "storage.exists fails";
  plan.items[3] = item(State::inconclusive);
  plan.items[3].trouble = "the network is away";
  const std::string text = plan_text(plan, "https://h");
  EXPECT_THAT(text, HasSubstr("fails, and is not for enclave to change"));
  EXPECT_THAT(text, HasSubstr("remedy    ask whoever runs the server"));
  EXPECT_THAT(text, HasSubstr("waived until 2027-06-30: old clients"));
  EXPECT_THAT(text, HasSubstr("not done, because storage.exists fails"));
  EXPECT_THAT(text, HasSubstr("could not be observed: the network is away"));
  EXPECT_THAT(text, EndsWith("Nothing to change; 0 of 4 controls in force.\n"
                             "1 thing is left for you: storage.private on data-storage-bucket-001.\n"));
  EXPECT_EQ(plan.exit_status(), 4);
  const std::string json = plan_json(plan, "https://h");
  expect_json(json);
  EXPECT_THAT(json, HasSubstr(R"("left_to_user":1,)"));
  EXPECT_THAT(json, HasSubstr(R"("will_change":false,"needs_user":true)"));
}

// An orchestrator asks whether apply has something to do; a person, whether anything is to be done.
TEST(PlanText, TellsWhatOnlyTheUserCanDoAndHasNothingToChange) {
  control::Plan plan;
  for (const char* name : {"a", "b", "c", "d", "e\x1b", "f"}) plan.items.push_back(item(State::fail, name));
  plan.items[5].selected = false;
  EXPECT_EQ(plan.exit_status(), 0);
  EXPECT_THAT(plan_text(plan, "h"), EndsWith("5 things are left for you: storage.private on a, storage.private on b,\n"
                                             "storage.private on c, storage.private on d and 1 more.\n"));
  plan.items = {changing()};
  EXPECT_THAT(plan_text(plan, "h"), Not(HasSubstr("left for you")));
  plan.items[0].finding.remedy = "and remove what somebody else put";
  EXPECT_EQ(plan.exit_status(), 2);
  EXPECT_THAT(plan_text(plan, "h"), HasSubstr("1 thing is left for you"));
  control::AppliedItem applied;
  applied.item = item(State::fail);
  applied.outcome = control::Outcome::needs_user;
  EXPECT_THAT(applied_text({applied}, 0), EndsWith("\n1 NEEDS YOU.\n1 thing is left for you: storage.private on "
                                                   "data-storage-bucket-001.\n"));
  EXPECT_THAT(applied_json({applied}, 0, "h"), HasSubstr(R"("left_to_user":1,)"));
}

TEST(AuditText, TellsWhatFailedHowItWasTriedAndWhatToDo) {
  Audited one = audited(item(State::pass, std::string(63, 'b')));
  one.state = State::fail;
  one.item.finding.expected = "private";
  one.item.finding.found = "private";
  one.trials.push_back({"anonymous GET of a canary object", "refused", "200", State::fail, "GET /b/canary\nHTTP 200"});
  one.trials.push_back({"anonymous LIST", "refused", "403", State::pass, ""});
  one.item.finding.remedy = "remove the policy of somebody else";
  Audited read = audited(item(State::pass));
  read.skipped = true;
  const std::string text = audit_text({one, read}, "https://h");
  expect_fits(text);
  EXPECT_THAT(text, HasSubstr("FAIL            critical  storage.private\n"));
  EXPECT_THAT(text, HasSubstr("examined        critical  storage.private  data-storage-bucket-001\n"));
  EXPECT_THAT(text,
              HasSubstr("  tried     anonymous GET of a canary object\n            fail: expected refused, found 200"));
  EXPECT_THAT(text, Not(HasSubstr("anonymous LIST")));
  EXPECT_THAT(text, HasSubstr("remedy    remove the policy of somebody else"));
  EXPECT_THAT(text, HasSubstr("standards NIST SP 800-53 rev. 5 AC-3; CIS AWS 3.0 2.1.4"));
  EXPECT_THAT(text, HasSubstr("FAIL: 2 checks in https://h, 1 failed, 1 examined but not tried."));
  const std::string json = audit_json({one, read}, "https://h", 0);
  expect_json(json);
  EXPECT_THAT(json, HasSubstr("GET /b/canary\\nHTTP 200"));
  EXPECT_THAT(json, HasSubstr("anonymous LIST"));
}

TEST(AuditText, VerdictIsNeverBetterThanWhatIsKnown) {
  EXPECT_THAT(audit_text({}, "file:///s"), HasSubstr("NOTHING TO AUDIT"));
  EXPECT_THAT(audit_text({audited(item(State::pass))}, "h"), HasSubstr("PASS: 1 check in h, 1 passed."));
  EXPECT_THAT(audit_text({audited(item(State::pass)), audited(item(State::inconclusive))}, "h"),
              HasSubstr("INCONCLUSIVE: 2 checks"));
}

TEST(AppliedText, NamesWhatDidNotComeTrue) {
  control::AppliedItem one;
  one.item = changing();
  one.promised = one.item.steps;
  one.outcome = control::Outcome::broken;
  one.text = "was changed without an error, and this is still to be done: acl of data-storage-bucket-001: private";
  one.changes.push_back({"acl of data-storage-bucket-001", "a secret way back"});
  const std::string text = applied_text({one}, 7);
  expect_fits(text);
  EXPECT_THAT(text, HasSubstr("NOT AS PLANNED  storage.private on data-storage-bucket-001\n"));
  EXPECT_THAT(text, HasSubstr("1 change kept as run 7"));
  const std::string json = applied_json({one}, 7, "https://h");
  expect_json(json);
  EXPECT_THAT(json, HasSubstr(R"("outcome":"broken")"));
  EXPECT_THAT(json, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace enclave::report
