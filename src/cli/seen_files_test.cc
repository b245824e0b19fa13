#include "cli/seen_files.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "cli/flow_changes.h"
#include "io/system.h"

namespace enclave::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class SeenFilesTest : public ::testing::Test {
 protected:
  SeenFilesTest() {
    std::string name = fs::temp_directory_path() / "enclave-seen-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name + "/";
  }
  ~SeenFilesTest() override { fs::remove_all(root_); }

  void write(const std::string& name, std::string_view text) { std::ofstream(root_ + name) << text; }
  /// What a pipeline is made from that reads these files.
  Basis basis_of(const std::vector<std::string>& names) {
    SeenFiles seen(io::real_files());
    Basis basis;
    seen.credit(&basis);
    for (const auto& name : names) (void)read_file(seen, root_ + name, 1000);
    return basis;
  }
  bool changed(const SeenFiles& seen) { return look_again(io::real_files(), seen.stamps()) != seen.stamps(); }

  std::string root_;
};

TEST_F(SeenFilesTest, AFileThatIsWrittenAnewWithTheSameTextMakesTheSame) {
  write("a", "text");
  const Basis before = basis_of({"a"});
  fs::remove(root_ + "a");
  write("a", "text");
  EXPECT_EQ(basis_of({"a"}), before);
  write("a", "test");
  EXPECT_THAT(differences(before, basis_of({"a"}), 5), ElementsAre(root_ + "a"));
}

TEST_F(SeenFilesTest, AFileMoreOrLessIsADifference) {
  write("a", "text");
  write("b", "text");
  EXPECT_THAT(differences(basis_of({"a"}), basis_of({"a", "b"}), 5), ElementsAre(root_ + "b"));
  EXPECT_THAT(differences(basis_of({"a", "b"}), basis_of({"a"}), 5), ElementsAre(root_ + "b"));
  EXPECT_THAT(differences(basis_of({"a", "b"}), basis_of({}), 1), ElementsAre(root_ + "a"));
}

TEST_F(SeenFilesTest, WhatIsWatchedChangesWithTheFileAndWithTheNamesOfAFolder) {
  write("a", "text");
  SeenFiles seen(io::real_files());
  ASSERT_TRUE(read_file(seen, root_ + "a", 1000));
  ASSERT_TRUE(seen.list(root_.substr(0, root_.size() - 1)));
  EXPECT_FALSE(changed(seen));
  write("b", "");
  EXPECT_TRUE(changed(seen));
  fs::remove(root_ + "b");
  EXPECT_FALSE(changed(seen));
  write("a", "longer text");
  EXPECT_TRUE(changed(seen));
}

TEST_F(SeenFilesTest, AFileThatIsNotThereIsWatchedToo) {
  SeenFiles seen(io::real_files());
  EXPECT_FALSE(seen.info(root_ + "logstash.yml", true));
  EXPECT_FALSE(read_file(seen, root_ + "pipelines.yml", 1000));
  EXPECT_FALSE(changed(seen));
  write("pipelines.yml", "");
  EXPECT_TRUE(changed(seen));
}

TEST_F(SeenFilesTest, WhatWasReadStaysWhatItWas) {
  write("a", "old");
  SeenFiles seen(io::real_files());
  ASSERT_TRUE(read_file(seen, root_ + "a", 1000));
  seen.freeze();
  write("a", "new");
  EXPECT_EQ(*read_file(seen, root_ + "a", 1000), "old");
  EXPECT_FALSE(read_file(seen, root_ + "a", 2));
  write("b", "other");
  EXPECT_EQ(*read_file(seen, root_ + "b", 1000), "other");
  EXPECT_FALSE(seen.stamps().contains(root_ + "b"));
}

TEST_F(SeenFilesTest, AFileThatIsOnlyAskedForCountsByItsIdentity) {
  write("database", "one");
  const auto ask = [&] {
    SeenFiles seen(io::real_files());
    Basis basis;
    seen.credit(&basis);
    EXPECT_TRUE(seen.info(root_ + "database", true));
    return basis;
  };
  const Basis before = ask();
  EXPECT_EQ(ask(), before);
  write("database", "three");
  EXPECT_NE(ask(), before);
}

TEST_F(SeenFilesTest, TheValueOfAVariableCountsAndItsKeystoreDoesNot) {
  write("keystore", "1");
  const auto look = [&](std::string value) {
    SeenFiles seen(io::real_files());
    Basis basis;
    seen.credit(&basis);
    const auto found = seen.variable("PASSWORD", [&](std::string_view) -> std::optional<std::string> {
      EXPECT_TRUE(read_file(seen, root_ + "keystore", 1000));
      return value;
    });
    EXPECT_EQ(found, value);
    EXPECT_TRUE(seen.stamps().contains(root_ + "keystore"));
    return basis;
  };
  const Basis before = look("secret");
  EXPECT_EQ(before.at("variable PASSWORD").find("secret"), std::string::npos);
  write("keystore", "12");
  EXPECT_EQ(look("secret"), before);
  EXPECT_THAT(differences(before, look("other"), 5), ElementsAre("variable PASSWORD"));
}

TEST_F(SeenFilesTest, WhatTheKernelTellsIsNotWatched) {
  SeenFiles seen(io::real_files());
  ASSERT_TRUE(read_file(seen, "/proc/self/status", 100'000));
  EXPECT_THAT(seen.stamps(), IsEmpty());
}

Stamps stamps(std::uint64_t bytes) { return {{"/a", {.kind = Stamp::Kind::file, .bytes = bytes}}}; }

TEST(QuietWait, AChangeIsReadWhenTwoLooksFindTheSame) {
  using enum QuietWait::Found;
  QuietWait wait;
  wait.read(stamps(1));
  EXPECT_EQ(wait.look(stamps(1)), same);
  EXPECT_EQ(wait.look(stamps(2)), changing);
  EXPECT_EQ(wait.look(stamps(3)), changing);
  EXPECT_EQ(wait.look(stamps(3)), quiet);
  wait.read(stamps(3));
  EXPECT_EQ(wait.look(stamps(3)), same);
}

TEST(QuietWait, WhatBecomesAsItWasIsNotRead) {
  using enum QuietWait::Found;
  QuietWait wait;
  wait.read(stamps(1));
  EXPECT_EQ(wait.look(stamps(2)), changing);
  EXPECT_EQ(wait.look(stamps(1)), same);
  EXPECT_EQ(wait.look(stamps(2)), changing);
}

TEST(QuietWait, AFolderThatIsNeverQuietIsReadAllTheSame) {
  using enum QuietWait::Found;
  const auto named = [](std::string names) {
    Stamps all = stamps(1);
    all["/tmp/"] = {.kind = Stamp::Kind::folder, .names = std::move(names)};
    return all;
  };
  QuietWait wait;
  wait.read(named(""));
  int looks = 1;
  while (wait.look(named(std::to_string(looks))) == changing && looks < 100) ++looks;
  EXPECT_EQ(looks, 10);
  wait.read(named("x"));
  // A file that changes is waited for however long it takes.
  for (std::uint64_t i = 2; i < 40; ++i) EXPECT_EQ(wait.look(stamps(i)), changing);
}

TEST(FlowChanges, OnlyWhatDiffersIsReplaced) {
  const std::vector<KnownFlow> running{{"a", {{"f", "1"}}}, {"b", {{"f", "1"}}}, {"c", {{"f", "1"}}}};
  const auto changes = changes_between(running, {{"d", {}}, {"b", {{"f", "2"}}}, {"a", {{"f", "1"}}}});
  EXPECT_THAT(changes.begin, ElementsAre("d"));
  EXPECT_THAT(changes.replace, ElementsAre("b"));
  EXPECT_THAT(changes.end, ElementsAre("c"));
  EXPECT_THAT(changes.held, IsEmpty());
  EXPECT_FALSE(changes.none());
  EXPECT_TRUE(changes_between(running, running).none());
}

TEST(FlowChanges, WhatIsNotReloadableGoesOnAsItIs) {
  const std::vector<KnownFlow> running{{"a", {{"f", "1"}}, false}, {"b", {}, false}};
  const auto changes = changes_between(running, {{"a", {{"f", "2"}}, true}});
  EXPECT_TRUE(changes.none());
  EXPECT_THAT(changes.held, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace enclave::cli
