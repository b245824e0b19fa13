#include "sim/account.h"

#include <gmock/gmock.h>

namespace enclave::sim {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

event::Record record(std::uint64_t seq, std::uint64_t position, const std::string& raw) {
  event::Record made;
  made.seq = seq;
  made.source = "file:/a@00000001";
  made.position = std::to_string(position);
  made.raw = raw;
  made.eol = "\n";
  return made;
}

struct AccountTest : testing::Test {
  AccountTest() {
    const std::string mark = account.begin("/a");
    account.append("/a", mark + "one\ntwo\n");
    one = record(1, 0, mark + "one");
    two = record(2, 12, "two");
  }
  Account account;
  event::Record one, two;
};

TEST_F(AccountTest, IsSettledByEveryLineOnce) { EXPECT_THAT(account.check({one, two}), IsEmpty()); }

TEST_F(AccountTest, MissesALine) { EXPECT_THAT(account.check({one}), ElementsAre(HasSubstr("12 of 16 bytes"))); }

TEST_F(AccountTest, SeesARepeatedText) {
  auto again = one;
  again.seq = 3;
  EXPECT_THAT(account.check({one, two, again}), ElementsAre(HasSubstr("a second time")));
}

TEST_F(AccountTest, SeesARepeatedLine) {
  auto again = two;
  again.seq = 3;
  EXPECT_THAT(account.check({one, two, again}), ElementsAre(HasSubstr("was read up to 16")));
}

TEST_F(AccountTest, SeesAnotherByte) {
  two.raw = "twp";
  EXPECT_THAT(account.check({one, two}), ElementsAre(HasSubstr("written was")));
}

TEST_F(AccountTest, SeesAGapInTheNumbers) {
  two.seq = 3;
  EXPECT_THAT(account.check({one, two}), ElementsAre("record 3 follows record 1"));
}

TEST_F(AccountTest, AcceptsACutLine) {
  account.append("/a", "a long line\r\n");
  auto cut = record(3, 16, "a lo");
  cut.cut_bytes = 7;
  cut.eol = "\r\n";
  EXPECT_THAT(account.check({one, two, cut}), IsEmpty());
}

TEST_F(AccountTest, AllowsToLoseWhatWasRemovedUnread) {
  account.end("/a", true);
  EXPECT_THAT(account.check({one}), IsEmpty());
}

}  // namespace
}  // namespace enclave::sim
