#include "report/verify_report.h"

#include <gmock/gmock.h>
#include <simdjson.h>

#include <sstream>

namespace enclave::report {
namespace {

using archive::Finding;
using archive::Verdict;
using archive::VerifyReport;
using archive::Weight;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Finding finding(Verdict verdict, Weight weight, std::string key) {
  Finding one{};
  one.verdict = verdict;
  one.weight = weight;
  one.origin = "ec528/vm-1/g1";
  one.key = std::move(key);
  one.text = "Its SHA-256 is another one than the one that was sealed, which is said here at some length.";
  return one;
}

VerifyReport report_of(std::vector<Finding> findings) {
  VerifyReport report;
  report.source = "/copy";
  report.logs.resize(1);
  report.logs[0].origin = "ec528/vm-1/g1";
  report.logs[0].size = 12345;
  report.logs[0].objects = 10;
  report.logs[0].objects_ok = 9;
  report.logs[0].checkpoint = "note";
  report.logs[0].findings = std::move(findings);
  return report;
}

TEST(VerifyText, SaysTheVerdictInTheFirstLine) {
  EXPECT_THAT(verify_text(report_of({})), StartsWith("GOOD"));
  EXPECT_THAT(verify_text(report_of({finding(Verdict::gap, Weight::note, "")})), StartsWith("GOOD"));
  EXPECT_THAT(verify_text(report_of({finding(Verdict::stale, Weight::inconclusive, "")})), StartsWith("INCONCLUSIVE"));
  EXPECT_THAT(verify_text(report_of({finding(Verdict::modified, Weight::violated, "k")})), StartsWith("VIOLATED"));
}

TEST(VerifyText, NamesLeafRecordsTimesAndSources) {
  Finding one = finding(Verdict::modified, Weight::violated, "v1/ec528/vm-1/g1/b/00000000000000000007.ndjson.zst.age");
  one.index = 7;
  one.seq = {48, 96};
  one.time_first_ns = 1'795'000'000'000'000'000;
  one.time_last_ns = 1'795'000'060'000'000'000;
  one.sources = {"file:/var/log/auth.log@1f3a9c02", "journal:x"};
  const std::string text = verify_text(report_of({one}));
  EXPECT_THAT(text, HasSubstr("MODIFIED (VIOLATED)"));
  EXPECT_THAT(text, HasSubstr("00000000000000000007.ndjson.zst.age"));
  EXPECT_THAT(text, HasSubstr("leaf 7, records 48 to 96, 2026-11-18T"));
  EXPECT_THAT(text, HasSubstr("of file:/var/log/auth.log@1f3a9c02, journal:x"));
}

TEST(VerifyText, KeepsWithin80ColumnsAndSendsNoControlCharactersToATerminal) {
  Finding one = finding(Verdict::extra, Weight::violated, "v1/\x1b[31mred\nline");
  one.text += " \x07 and a bell";
  const std::string text = verify_text(report_of({one}));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
}

TEST(VerifyText, CountsNotesWhereThereAreMany) {
  const std::string text = verify_text(report_of(std::vector(1200, finding(Verdict::expired, Weight::note, "key"))));
  EXPECT_THAT(text, HasSubstr("1,195 more"));
  EXPECT_LT(text.size(), 3000U);
}

TEST(VerifyJson, IsOneObjectWithTheNamesOfItsFormat) {
  Finding one = finding(Verdict::modified, Weight::violated, "a \"key\" \x01 \xff");
  one.index = 7;
  one.seq = {48, 96};
  VerifyReport report = report_of({one, finding(Verdict::gap, Weight::note, "")});
  report.findings = {finding(Verdict::extra, Weight::violated, "v1/readme")};
  const std::string text = verify_json(report);
  EXPECT_EQ(text.back(), '\n');
  simdjson::dom::parser parser;
  const auto json = parser.parse(text).value();
  EXPECT_EQ(json["format"].get_string().value(), "enclave-verify/1");
  EXPECT_EQ(json["verdict"].get_string().value(), "violated");
  EXPECT_EQ(json["exit_status"].get_int64().value(), 3);
  const auto log = json["logs"].at(0);
  EXPECT_EQ(log["leaves"].get_int64().value(), 12345);
  EXPECT_TRUE(log["time_first"].is_null());
  EXPECT_EQ(log["findings"].at(0)["verdict"].get_string().value(), "MODIFIED");
  EXPECT_EQ(log["findings"].at(0)["index"].get_int64().value(), 7);
  EXPECT_EQ(log["findings"].at(0)["seq_last"].get_int64().value(), 96);
  EXPECT_TRUE(log["findings"].at(1)["index"].is_null());
  EXPECT_EQ(json["findings"].at(0)["key"].get_string().value(), "v1/readme");
}

TEST(VerifyJson, ANoteLeavesALogGood) {
  simdjson::dom::parser parser;
  const auto json = parser.parse(verify_json(report_of({finding(Verdict::gap, Weight::note, "")}))).value();
  EXPECT_EQ(json["verdict"].get_string().value(), "good");
  EXPECT_EQ(json["exit_status"].get_int64().value(), 0);
}

}  // namespace
}  // namespace enclave::report
