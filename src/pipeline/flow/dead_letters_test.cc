#include "pipeline/flow/dead_letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/files.h"
#include "pipeline/flow/letter_taking.h"
#include "pipeline/input_bench.h"
#include "pipeline/ledger.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DeadLettersTest : public ::testing::Test {
 protected:
  std::unique_ptr<LetterBox> box(ByteCount bytes_max = 1_MiB) {
    auto made = open_dead_letters(io::real_world(), directory(), ledger_, bytes_max);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  static Letter letter(const std::string& event, const std::string& reason = "why") {
    return {1'000'000'000, "udp", "out", reason, "", event, 1, false};
  }
  std::vector<std::string> kept() {
    std::vector<std::string> all;
    const auto each = [&](std::string_view, const Letter& letter) -> Result<void> {
      all.push_back(letter.event);
      return {};
    };
    const auto read = read_letters(files_, directory(), each);
    EXPECT_TRUE(read);
    unreadable_ = read->unreadable;
    return all;
  }
  std::vector<std::string> replayed() {
    std::vector<std::string> names;
    if (const auto listed = files_.list(directory() + "/replay"))
      for (const auto& entry : *listed) names.push_back(entry.name);
    return names;
  }
  Result<Taken> take(const std::string& reason, bool replay) {
    return take_letters(
        io::real_world(), directory(),
        {[&](std::string_view, const Letter& each) { return each.reason == reason; }, false, replay, false});
  }
  std::string directory() const { return directory_.path(); }
  std::string path() const { return directory() + "/dead-letters.ndjson"; }

  testing::TempDirectory directory_;
  Files& files_ = io::real_files();
  Ledger ledger_;
  std::uint64_t unreadable_ = 0;
};

TEST_F(DeadLettersTest, KeepsOnWhereItWas) {
  ASSERT_TRUE(*box()->keep(letter("1")));
  ASSERT_TRUE(*box()->keep(letter("2")));
  EXPECT_THAT(kept(), ElementsAre("1", "2"));
}

TEST_F(DeadLettersTest, WhatAPowerCutLeftOfALetterGoes) {
  ASSERT_TRUE(*box()->keep(letter("1")));
  const auto whole = read_file(files_, path(), 1 << 20);
  ASSERT_TRUE(replace_file(files_, path(), *whole + R"({"time":"2026-)"));
  ASSERT_TRUE(*box()->keep(letter("2")));
  EXPECT_THAT(kept(), ElementsAre("1", "2"));
  EXPECT_EQ(unreadable_, 0U);
}

TEST_F(DeadLettersTest, WhatDoesNotFitIsToldUntilThereIsRoomAgain) {
  const auto small = box(ByteCount{300});
  ASSERT_TRUE(*small->keep(letter("1")));
  ASSERT_FALSE(*small->keep(letter(std::string(300, 'x'))));
  EXPECT_THAT(ledger_.status().troubles, ElementsAre(HasSubstr("enclave deadletters")));
  ASSERT_TRUE(take("why", false));
  EXPECT_THAT(kept(), SizeIs(0));
  ASSERT_TRUE(*small->keep(letter("2")));
  EXPECT_THAT(ledger_.status().troubles, SizeIs(0));
  EXPECT_THAT(kept(), ElementsAre("2"));
}

TEST_F(DeadLettersTest, WhatIsNotWantedStaysInItsOrder) {
  const auto one = box();
  for (const char* event : {"1", "2", "3", "4"})
    ASSERT_TRUE(*one->keep(letter(event, *event % 2 == 0 ? "even" : "odd")));
  const auto taken = take("even", true);
  ASSERT_TRUE(taken) << taken.error().text();
  EXPECT_EQ(taken->letters, 2U);
  EXPECT_EQ(taken->left, 2U);
  EXPECT_THAT(kept(), ElementsAre("1", "3"));
  EXPECT_THAT(replayed(), SizeIs(1));
  ASSERT_TRUE(*one->keep(letter("5")));
  EXPECT_THAT(kept(), ElementsAre("1", "3", "5"));
  ASSERT_TRUE(take("odd", true));
  EXPECT_THAT(replayed(), SizeIs(2));
  EXPECT_THAT(kept(), ElementsAre("5"));
}

TEST_F(DeadLettersTest, LinesThatAreNoLettersStay) {
  ASSERT_TRUE(*box()->keep(letter("1")));
  const auto whole = read_file(files_, path(), 1 << 20);
  ASSERT_TRUE(replace_file(files_, path(), "what is this\n" + *whole));
  ASSERT_TRUE(take("why", false));
  EXPECT_THAT(kept(), SizeIs(0));
  EXPECT_EQ(unreadable_, 1U);
}

/// A crash on either side of the commit: the letters of a taking are in one place, not in two and not in none.
TEST_F(DeadLettersTest, ATakingThatACrashCutOffIsEndedOrUndone) {
  ASSERT_TRUE(*box()->keep(letter("1")));
  const auto before = read_file(files_, path(), 1 << 20);
  ASSERT_TRUE(take("why", true));
  const std::string name = replayed().at(0);
  const std::string begun = directory() + "/replay/" + name.substr(0, name.size() - 7) + ".taken";
  ASSERT_TRUE(files_.rename(directory() + "/replay/" + name, begun));
  ASSERT_TRUE(finish_taking(files_, directory()));
  EXPECT_THAT(replayed(), ElementsAre(name));
  // Now as if it had stopped before the commit.
  ASSERT_TRUE(files_.rename(directory() + "/replay/" + name, begun));
  ASSERT_TRUE(replace_file(files_, path(), *before));
  ASSERT_TRUE(finish_taking(files_, directory()));
  EXPECT_THAT(replayed(), SizeIs(0));
  EXPECT_THAT(kept(), ElementsAre("1"));
}

TEST_F(DeadLettersTest, NoneIsLostAndNoneIsDoubledWhenTheyAreTakenWhileOthersAreWritten) {
  constexpr int kLetters = 300;
  const auto one = box(16_MiB);
  std::atomic<bool> written{false};
  std::thread writer([&] {
    for (int i = 0; i < kLetters; ++i) EXPECT_TRUE(*one->keep(letter(std::to_string(i))));
    written = true;
  });
  std::uint64_t taken = 0;
  while (!written) {
    const auto some = take("why", true);
    ASSERT_TRUE(some) << some.error().text();
    taken += some->letters;
  }
  writer.join();
  EXPECT_EQ(taken + kept().size(), static_cast<std::uint64_t>(kLetters));
}

}  // namespace
}  // namespace enclave::pipeline
