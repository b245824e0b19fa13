#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/parse.h"
#include "cli/starter.h"
#include "cli/verify_session.h"
#include "cli/when.h"
#include "io/system.h"
#include "pipeline/config/config.h"

namespace enclave::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CliTest : public testing::Test {
 protected:
  CliTest() { root_ = std::filesystem::path(testing::TempDir()) / fmt::format("cli-{}", ::getpid()); }
  ~CliTest() override { std::filesystem::remove_all(root_); }

  int run(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    return run_command(words, shell_);
  }
  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(make_directories(io::real_files(), parent_of(root_.string() + path)));
    ASSERT_TRUE(replace_file(io::real_files(), root_.string() + path, text));
  }

  std::filesystem::path root_;
  std::map<std::string, std::string> environment_;
  std::ostringstream out_, err_;
  Shell shell_{.world = io::real_world(),
               .out = out_,
               .err = err_,
               .out_terminal = false,
               .err_terminal = false,
               .directory = "/nowhere",
               .environment = [this](std::string_view name) -> std::optional<std::string> {
                 const auto found = environment_.find(std::string(name));
                 return found == environment_.end() ? std::nullopt : std::optional(found->second);
               }};
};

Arguments parsed(std::string_view verb, const std::vector<std::string>& words) {
  auto arguments = parse_arguments(*find_verb(verb), words);
  EXPECT_TRUE(arguments) << arguments.error().text();
  return arguments ? std::move(*arguments) : Arguments();
}

TEST(Parse, ValuesStandInEveryUsualForm) {
  EXPECT_EQ(parsed("run", {"--config", "a"}).value("config"), "a");
  EXPECT_EQ(parsed("run", {"--config=a=b"}).value("config"), "a=b");
  EXPECT_EQ(parsed("run", {"-c", "a"}).value("config"), "a");
  EXPECT_EQ(parsed("run", {"-ca"}).value("config"), "a");
  EXPECT_TRUE(parsed("run", {"--once", "--json"}).has("once"));
  EXPECT_FALSE(parsed("run", {}).has("once"));
}

TEST(Parse, RepeatedOptionsKeepTheirOrderAndLeaveTheOperandsAlone) {
  const auto arguments = parsed("search", {"-s", "one", "text", "-s", "two", "more"});
  EXPECT_THAT(arguments.values("source"), ElementsAre("one", "two"));
  EXPECT_THAT(arguments.operands(), ElementsAre("text", "more"));
}

TEST(Parse, OperandsAreTakenAsTheyStand) {
  EXPECT_THAT(parsed("search", {"[error]", "a,b", "{x}", "", "-"}).operands(),
              ElementsAre("[error]", "a,b", "{x}", "", "-"));
  EXPECT_THAT(parsed("search", {"--", "--json", "-x", "--"}).operands(), ElementsAre("--json", "-x", "--"));
  EXPECT_THAT(parsed("search", {"-t", "[error]"}).values("text"), ElementsAre("[error]"));
}

TEST(Parse, HelpMakesEverythingElseRight) { EXPECT_TRUE(parsed("completion", {"--help"}).has("help")); }

TEST(When, MomentsAndAges) {
  constexpr std::int64_t kNow = 1'800'000'000'000'000'000;
  EXPECT_EQ(parse_when("now", kNow), kNow);
  EXPECT_EQ(parse_when("15m", kNow), kNow - 15 * 60 * 1'000'000'000LL);
  EXPECT_EQ(parse_when("1970-01-02", kNow), 86'400 * 1'000'000'000LL);
  for (const auto bad : {"", "soon", "-5m", "1.5h", "2026-13-01"}) EXPECT_FALSE(parse_when(bad, kNow)) << bad;
}

TEST(Verbs, EveryVerbSaysAllThatAHelpNeeds) {
  for (const Verb* verb : all_verbs()) {
    EXPECT_FALSE(verb->summary.empty()) << verb->name;
    EXPECT_FALSE(verb->description.empty()) << verb->name;
    EXPECT_FALSE(verb->statuses.empty()) << verb->name;
    for (const auto& option : options_of(*verb)) EXPECT_TRUE(option.help.ends_with('.')) << verb->name << option.name;
  }
}

TEST(Verbs, NoTwoOptionsOfAVerbHaveTheSameNameOrLetter) {
  for (const Verb* verb : all_verbs()) {
    std::map<std::string, int> seen;
    for (const auto& option : options_of(*verb)) {
      ++seen[std::string(option.name)];
      if (option.letter != 0) ++seen[std::string(1, option.letter)];
    }
    for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << verb->name << " " << name;
  }
}

TEST(Help, WrapsWordsAndKeepsParagraphs) {
  EXPECT_EQ(wrapped("aaa bbb ccc\n\nddd", 1, 8), " aaa bbb\n ccc\n\n ddd\n");
  EXPECT_EQ(wrapped("a-word-that-is-longer-than-the-line b", 0, 10), "a-word-that-is-longer-than-the-line\nb\n");
  EXPECT_EQ(wrapped("", 2), "");
}

TEST(Tables, EveryOptionStandsInHelpManualAndCompletion) {
  const std::string bash = bash_completion(), zsh = zsh_completion(), fish = fish_completion();
  for (const Verb* verb : all_verbs()) {
    const std::string help = help_of(*verb), manual = man_of(*verb);
    for (const auto& option : options_of(*verb)) {
      const std::string flag = fmt::format("--{}", option.name);
      EXPECT_THAT(help, HasSubstr(flag));
      EXPECT_THAT(bash, HasSubstr(flag));
      EXPECT_THAT(zsh, HasSubstr(flag));
      EXPECT_THAT(fish, HasSubstr(fmt::format("-l {}", option.name)));
      EXPECT_THAT(manual, HasSubstr(fmt::format("\\-\\-{}", option.name.substr(0, option.name.find('-')))));
    }
  }
}

TEST(Manual, IsAsciiAndNamesEveryKeyOfTheConfiguration) {
  const std::string page = man_of_config();
  for (const char c : page) ASSERT_LT(static_cast<unsigned char>(c), 0x80);
  for (const auto& section : pipeline::config_manual())
    for (const auto& card : section.cards) EXPECT_THAT(page, HasSubstr(fmt::format(".B {}\n", card.name)));
}

TEST_F(CliTest, WhatIsFoundOnAMachineIsWhatCanBeRead) {
  write("/var/log/app/deep/a.log", "x\n");
  write("/var/log/syslog", "x\n");
  write("/run/log/journal/1f/system.journal", "");
  environment_["AWS_ACCESS_KEY_ID"] = "hush";
  const Findings found = find_on_this_machine(shell_, "My_Host.example.org", root_.string());
  EXPECT_EQ(found.name, "My_Host");
  EXPECT_THAT(found.logs, ElementsAre(root_.string() + "/var/log/**/*.log", root_.string() + "/var/log/syslog"));
  EXPECT_TRUE(found.journal);
  EXPECT_THAT(found.environment, ElementsAre("AWS_ACCESS_KEY_ID"));
}

TEST_F(CliTest, AnEmptyMachineGivesAFileThatIsValidToo) {
  const Findings found = find_on_this_machine(shell_, "-.", root_.string());
  EXPECT_EQ(found.name, "enclave");
  EXPECT_THAT(found.logs, IsEmpty());
  Diagnostics diagnostics;
  const auto config = pipeline::parse_config_text(starter_config(found, "state"), "/x/enclave.yaml", diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(config.state, "/x/state");
  EXPECT_TRUE(config.inputs.empty());
}

TEST_F(CliTest, StarterNamesEveryKeyAndReadsBackWhatWasFound) {
  Findings found;
  found.name = "demo";
  found.logs = {"/var/log/**/*.log", "/var/log/with space"};
  found.journal = true;
  found.environment = {"AWS_REGION"};
  const std::string text = starter_config(found, "/var/lib/enclave");
  for (const auto& section : pipeline::config_manual())
    for (const auto& card : section.cards) EXPECT_THAT(text, HasSubstr(fmt::format("{}:", card.name))) << section.name;
  Diagnostics diagnostics;
  const auto config = pipeline::parse_config_text(text, "/x/enclave.yaml", diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(config.enclave, "demo");
  EXPECT_EQ(config.inputs.size(), 2U);
}

TEST_F(CliTest, OwnLogGivesTheAnchorOfEveryGenerationAndWhatWaits) {
  write("/state/log/1/anchor", "x/i/g1+00000000+AAAA\n");
  write("/state/log/2/anchor", "x/i/g2+00000000+BBBB\n");
  write("/state/log/current", "2\nx/i\nboot\n");
  write("/state/outbox/2/17", "object");
  write("/state/outbox/2/note.txt", "");
  const auto own = own_log(io::real_files(), root_.string() + "/state");
  ASSERT_TRUE(own);
  EXPECT_THAT(own->anchors, ElementsAre("x/i/g1+00000000+AAAA", "x/i/g2+00000000+BBBB"));
  EXPECT_THAT(own->pending_objects, ElementsAre("v1/x/i/g2/b/00000000000000000017.ndjson.zst.age"));
  EXPECT_THAT(own_log(io::real_files(), root_.string() + "/none")->anchors, IsEmpty());
}

TEST_F(CliTest, OutputIsOutAndErrorsAreErr) {
  EXPECT_EQ(run({"version"}), kGood);
  EXPECT_THAT(out_.str(), HasSubstr(std::string(kVersion)));
  EXPECT_EQ(err_.str(), "");
  EXPECT_EQ(run({"status", "--dir", root_.string()}), kFailed);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("is not there; make one with: enclave init"));
}

}  // namespace
}  // namespace enclave::cli
