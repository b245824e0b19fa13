#include "pipeline/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "pipeline/config/config_check.h"
#include "pipeline/config/yaml.h"

namespace enclave::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string mistakes_of(std::string_view text) {
  Diagnostics diagnostics;
  (void)parse_config_text(text, "enclave.yaml", diagnostics);
  return diagnostics.text();
}

Config config_of(std::string_view text, const std::string& path = "/etc/enclave/enclave.yaml") {
  Diagnostics diagnostics;
  Config config = parse_config_text(text, path, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  return config;
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Each golden file says at its head which mistakes are found in it, and no others: "# mistake 7:14: text".
TEST(GoldenConfig, EveryFileGivesTheMistakesItsHeadNames) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/config")) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    const std::string text = read_whole(entry.path());
    std::string expected;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && line.starts_with("#");)
      if (line.starts_with("# mistake ")) expected += "enclave.yaml:" + line.substr(10) + "\n";
    EXPECT_EQ(mistakes_of(text), expected) << "in " << entry.path();
  }
  EXPECT_GE(files, 10);
}

TEST(Config, SmallestFileHasDefaultsForEverything) {
  const Config config = config_of("enclave: x\n");
  EXPECT_EQ(config.enclave, "x");
  EXPECT_EQ(config.state, "/var/lib/enclave");
  EXPECT_EQ(config.storage.endpoint, "file:///var/lib/enclave/store");
  EXPECT_TRUE(config.storage.is_file());
  EXPECT_EQ(config.storage.directory(), "/var/lib/enclave/store");
  EXPECT_EQ(config.log_bucket(), "logs");
  EXPECT_EQ(config.keys.identity, "/var/lib/enclave/keys/log-identity.txt");
  EXPECT_TRUE(config.inputs.empty());
}

TEST(Config, RelativePathsCountFromTheFile) {
  const Config config =
      config_of("enclave: x\nstate: ./state/\nstorage: {endpoint: https://h, ca: ca.pem, credentials: file:s3}\n",
                "/srv/e/enclave.yaml");
  EXPECT_EQ(config.state, "/srv/e/state");
  EXPECT_EQ(config.storage.ca, "/srv/e/ca.pem");
  EXPECT_EQ(config.storage.credentials, "file:/srv/e/s3");
  EXPECT_EQ(config_of("enclave: x\nstate: .\n", "/srv/e/enclave.yaml").state, "/srv/e");
}

TEST(Config, SectionsWithNothingInThemHaveTheirDefaults) {
  const Config config =
      config_of("enclave: x\nstorage:\nbuckets:\nlogging:\n  inputs:\nkeys:\narchive:\nspool:\nverify:\n");
  EXPECT_EQ(config.archive.flush_after, std::chrono::seconds(30));
  EXPECT_EQ(config.storage.region, "us-east-1");
}

TEST(Config, BucketForLogsIsUsedWhereverItStands) {
  EXPECT_EQ(config_of("enclave: x\nbuckets:\n- {name: mine, for: data}\n- {name: sealed, for: logs, retain: 365d}\n")
                .log_bucket(),
            "sealed");
}

TEST(Config, BucketsThatAreKeptAreLockedUnlessSomethingElseIsSaid) {
  const Config config = config_of(
      "enclave: x\nbuckets:\n- {name: aaa, for: data}\n- {name: bbb, for: data, retain: 1d}\n"
      "- {name: ccc, for: logs, retain: 1d, lock: none}\n");
  ASSERT_NE(config.bucket("ccc"), nullptr);
  EXPECT_EQ(config.bucket("aaa")->lock, "none");
  EXPECT_EQ(config.bucket("bbb")->lock, "compliance");
  EXPECT_EQ(config.bucket("ccc")->lock, "none");
  EXPECT_EQ(config.bucket("ddd"), nullptr);
}

TEST(Config, AWaiverHoldsUntilTheEndOfItsLastDay) {
  const Config config =
      config_of("enclave: x\nwaivers: [{control: storage.private, reason: why, until: 2027-06-30}]\n");
  ASSERT_EQ(config.waivers.size(), 1U);
  EXPECT_EQ(config.waivers[0].until_ns, *parse_time("2027-07-01T00:00:00Z"));
  EXPECT_EQ(config.waivers[0].place.line, 2);
}

TEST(Config, InputsHaveIdsThatTellThemApart) {
  const Config config = config_of(
      "enclave: x\nlogging:\n  inputs:\n  - {type: stdin}\n  - {type: stdin, id: second, enabled: false}\n  - {type: "
      "journald}\n");
  ASSERT_EQ(config.inputs.size(), 3U);
  EXPECT_EQ(config.inputs[0].id, "stdin-1");
  EXPECT_EQ(config.inputs[1].id, "second");
  EXPECT_FALSE(config.inputs[1].enabled);
  EXPECT_EQ(config.inputs[2].id, "journald-3");
  ASSERT_NE(config.inputs[0].plugin, nullptr);
  EXPECT_EQ(config.inputs[0].plugin->name, "stdin");
}

TEST(Config, AnIdentityAmongTheRecipientsIsNotRepeatedInTheMessage) {
  const std::string text = mistakes_of("enclave: x\nkeys: {recipients: [AGE-SECRET-KEY-1QQQQ]}\n");
  EXPECT_THAT(text, HasSubstr("this is an identity"));
  EXPECT_THAT(text, testing::Not(HasSubstr("QQQQ")));
}

TEST(Config, ASecretInThePlaceOfCredentialsIsNotRepeatedInTheMessage) {
  const std::string text = mistakes_of("enclave: x\nstorage: {endpoint: https://h, credentials: AKIAHUSHHUSH}\n");
  EXPECT_THAT(text, HasSubstr("neither env, file:PATH nor profile:NAME"));
  EXPECT_THAT(text, testing::Not(HasSubstr("HUSH")));
}

TEST(Config, NobodyReadsMoreThanAThousandMistakes) {
  std::string text = "enclave: x\n";
  for (int i = 0; i < 1'234; ++i) text += fmt::format("wrong{}: x\n", i);
  const std::string mistakes = mistakes_of(text);
  EXPECT_EQ(std::count(mistakes.begin(), mistakes.end(), '\n'), 1'001);
  EXPECT_THAT(mistakes, HasSubstr("enclave.yaml:1002:1: and 234 more, from here on"));
}

TEST(Config, ManualNamesEveryKeyWithAHelpText) {
  std::size_t cards = 0;
  for (const auto& section : config_manual()) {
    EXPECT_FALSE(section.help.empty()) << section.name;
    for (const auto& card : section.cards) {
      ++cards;
      EXPECT_FALSE(card.help.empty()) << section.name << " " << card.name;
    }
  }
  EXPECT_GT(cards, 25U);
}

TEST(EnclaveName, BecomesAPartOfAPathAndMayNotLeaveIt) {
  for (const auto good : {"a", "ec528", "A.b_c-9"}) EXPECT_TRUE(is_enclave_name(good)) << good;
  for (const auto bad : {"", ".", "..", ".a", "-a", "a/b", "a b", "\xc3\xa9"})
    EXPECT_FALSE(is_enclave_name(bad)) << bad;
  EXPECT_FALSE(is_enclave_name(std::string(65, 'a')));
}

TEST(Yaml, NodesKnowWhereTheyStand) {
  Diagnostics diagnostics;
  const Node root = parse_yaml("a: 1\nb:\n  - x\n  - {c: y}\nd:\ne: ''\n", "f", diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  ASSERT_EQ(root.members.size(), 4U);
  EXPECT_EQ(root.members[1].value.items[1].members[0].value.place.line, 4);
  EXPECT_EQ(root.members[1].value.items[1].members[0].value.place.column, 9);
  EXPECT_EQ(root.members[2].value.place.line, 5);
  EXPECT_EQ(root.members[2].value.kind, Node::Kind::null);
  EXPECT_EQ(root.members[3].value.kind, Node::Kind::scalar);
}

TEST(Yaml, AliasesUnfoldOnlySoFar) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("*a{}, ", i - 1);
    bomb += "]\n";
  }
  Diagnostics diagnostics;
  (void)parse_yaml(bomb, "f", diagnostics);
  EXPECT_THAT(diagnostics.text(), HasSubstr("more than 100000 values"));
}

TEST(Yaml, AliasesRepeatTheirText) {
  Diagnostics diagnostics;
  const Node root = parse_yaml("a: &x [1, 2]\nb: *x\n", "f", diagnostics);
  ASSERT_EQ(root.members.size(), 2U);
  EXPECT_EQ(root.members[1].value.items.size(), 2U);
  (void)parse_yaml("a: &x [*x]\n", "f", diagnostics);
  EXPECT_THAT(diagnostics.text(), HasSubstr("inside the very value"));
}

TEST(Yaml, DeepAndLongDocumentsAreRefusedNotFollowed) {
  for (const std::size_t depth : {65U, 5'000U, 500'000U}) {
    Diagnostics deep;
    (void)parse_yaml("- " + std::string(depth, '[') + std::string(depth, ']'), "f", deep);
    EXPECT_THAT(deep.text(), HasSubstr("nested more than 64 deep")) << depth;
  }
  Diagnostics large;
  (void)parse_yaml(std::string(kYamlBytesMax + 1, 'x'), "f", large);
  EXPECT_THAT(large.text(), HasSubstr("is this the right file?"));
}

TEST(Yaml, BytesThatAreNoTextAreNamedWithTheirPlace) {
  Diagnostics diagnostics;
  (void)parse_yaml(std::string_view("a: b\nc: \0d\n", 11), "f", diagnostics);
  EXPECT_EQ(diagnostics.text(), "f:2:4: the control character 0x00 cannot stand in a configuration file\n");
  Diagnostics latin;
  (void)parse_yaml("a: caf\xe9\n", "f", latin);
  EXPECT_THAT(latin.text(), HasSubstr("f:1:1: this line is not UTF-8"));
  Diagnostics marked;
  EXPECT_EQ(parse_yaml("\xef\xbb\xbf"
                       "enclave: x\n",
                       "f", marked)
                .members[0]
                .key,
            "enclave");
  EXPECT_FALSE(marked.has_errors());
}

TEST(Yaml, WrittenScalarsReadBackAsTheSameText) {
  for (const std::string text : {"plain",       "/var/log/*.log",
                                 "*.log",       "",
                                 "no",          "null",
                                 "~",           "a: b",
                                 "a #b",        "- x",
                                 "\"q\"",       "back\\slash",
                                 "tab\there",   "line\nbreak",
                                 "{a}",         "[b]",
                                 "&a",          "!t",
                                 "%d",          "@x",
                                 "`x",          "it's",
                                 "trailing ",   "k:",
                                 "h\xc3\xa9llo"}) {
    Diagnostics diagnostics;
    const Node root = parse_yaml("k: " + yaml_scalar(text) + "\n", "f", diagnostics);
    ASSERT_EQ(diagnostics.text(), "") << text;
    ASSERT_EQ(root.members[0].value.kind, Node::Kind::scalar) << text;
    EXPECT_EQ(root.members[0].value.scalar, text);
  }
}

// What a stray key on the keyboard makes of a good file is refused or read, and never stops the program.
TEST(Yaml, DamagedFilesAreReadOrRefused) {
  const std::string good = read_whole(ENCLAVE_SOURCE_DIR "/tests/golden/config/everything.yaml");
  ASSERT_FALSE(good.empty());
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  int refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    std::string text = good;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = "\t\n :-[]{}&*!|>'\"#%@,x\xff"[random() % 23];
    refused += !mistakes_of(text).empty();
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace enclave::pipeline
