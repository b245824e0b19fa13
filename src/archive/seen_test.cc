#include "archive/seen.h"

#include <gmock/gmock.h>

#include "archive/test_files.h"

namespace enclave::archive {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kDirectory[] = "/home/auditor/seen";

NoteVerifier anchor(std::uint8_t first) { return NoteVerifier::of("ec528/vm-1/g1", crypto::Ed25519PublicKey{first}); }

VerifyReport report_at(std::uint64_t size, Weight weight = Weight::good) {
  VerifyReport report;
  report.logs.resize(1);
  report.logs[0].origin = "ec528/vm-1/g1";
  Note note{Checkpoint{"ec528/vm-1/g1", size, {}, {}}.text(), {{"ec528/vm-1/g1", 1, std::string(64, 's')}}};
  report.logs[0].checkpoint = note.format();
  if (weight != Weight::good) {
    Finding finding{};
    finding.weight = weight;
    report.logs[0].findings = {finding};
  }
  return report;
}

TEST(Seen, GivesBackWhatWasStoredUnderTheSameAnchorOnly) {
  TestFiles files;
  const std::vector<NoteVerifier> ours = {anchor(1)}, others = {anchor(2)};
  EXPECT_THAT(load_seen(files, kDirectory, ours).value(), IsEmpty());
  ASSERT_TRUE(store_seen(files, kDirectory, ours, report_at(7)));
  EXPECT_THAT(load_seen(files, kDirectory, ours).value(), ElementsAre(report_at(7).logs[0].checkpoint));
  EXPECT_THAT(load_seen(files, kDirectory, others).value(), IsEmpty());
}

TEST(Seen, NeverGoesBackAndForgetsNothingForAViolatedLog) {
  TestFiles files;
  const std::vector<NoteVerifier> ours = {anchor(1)};
  ASSERT_TRUE(store_seen(files, kDirectory, ours, report_at(7)));
  ASSERT_TRUE(store_seen(files, kDirectory, ours, report_at(6)));
  ASSERT_TRUE(store_seen(files, kDirectory, ours, report_at(9, Weight::violated)));
  EXPECT_THAT(load_seen(files, kDirectory, ours).value(), ElementsAre(report_at(7).logs[0].checkpoint));
  ASSERT_TRUE(store_seen(files, kDirectory, ours, report_at(9, Weight::note)));
  EXPECT_THAT(load_seen(files, kDirectory, ours).value(), ElementsAre(report_at(9).logs[0].checkpoint));
}

TEST(Seen, StandsInTheStateDirectoryOfTheUser) {
  EXPECT_EQ(seen_directory("/state", "/home/a"), "/state/enclave/seen");
  EXPECT_EQ(seen_directory("", "/home/a"), "/home/a/.local/state/enclave/seen");
  EXPECT_EQ(seen_directory("not/absolute", "/home/a"), "/home/a/.local/state/enclave/seen");
  EXPECT_EQ(seen_directory("", ""), "");
}

}  // namespace
}  // namespace enclave::archive
