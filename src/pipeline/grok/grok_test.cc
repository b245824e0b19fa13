#include "pipeline/grok/grok.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace enclave::pipeline::grok {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const PatternLibrary kEcs(Vocabulary::ecs), kLegacy(Vocabulary::legacy);

TEST(Grok, EveryStandardPatternCompilesInBothVocabularies) {
  for (const PatternFamily& family : pattern_families()) {
    for (const auto* library : {&kEcs, &kLegacy}) {
      const auto own = library == &kEcs ? family.ecs : family.legacy;
      for (const auto patterns : {family.both, own}) {
        for (const Pattern& pattern : patterns) {
          const auto grok = Grok::compile("%{" + std::string(pattern.name) + "}", *library, {});
          EXPECT_TRUE(grok) << pattern.name << ": " << (grok ? "" : grok.error().text());
        }
      }
    }
  }
}

TEST(Grok, CapturesOfOneNameStandTogetherAtThePlaceOfTheFirst) {
  const auto grok = Grok::compile("%{WORD:a} %{INT:b:int} %{WORD:a}", kEcs, {});
  ASSERT_TRUE(grok);
  std::vector<std::string> fields;
  for (const auto& capture : grok->captures()) fields.push_back(capture.field);
  EXPECT_THAT(fields, ElementsAre("a", "a", "b"));
}

TEST(Grok, BytesThatAreNotUtf8AreNoHindrance) {
  const auto grok = Grok::compile("%{WORD:a} (?<b>.)x", kEcs, {});
  ASSERT_TRUE(grok);
  EXPECT_EQ(grok->match("\xff\xfe w yx"), Grok::Outcome::yes);
}

TEST(Grok, ADeepSubjectEndsAtItsLimitInsteadOfTheStacks) {
  const auto grok = Grok::compile("^(?:(?:a|b)+|c)*$", kEcs, {.steps_max = 100'000});
  ASSERT_TRUE(grok);
  EXPECT_EQ(grok->match(std::string(2'000'000, 'a') + "!"), Grok::Outcome::limit);
}

TEST(GrokExplain, CutsAPatternWhereItCallsOthers) {
  EXPECT_THAT(parts_of("%{IP:a} (x|%{WORD:b})-%{INT:c}? end"),
              ElementsAre("%{IP:a}", " (x|%{WORD:b})-", "%{INT:c}?", " end"));
  EXPECT_THAT(parts_of("%{A}|%{B}"), ElementsAre("%{A}|%{B}"));
}

TEST(GrokExplain, SaysHowFarAPatternGotAndWhere) {
  const auto found = explain("%{IP:client} %{WORD:method} %{NUMBER:bytes}", kEcs, "x 10.0.0.1 GET nothing");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->matched, 4U);
  EXPECT_EQ(found->begin, 2U);
  EXPECT_EQ(found->end, 15U);
  EXPECT_EQ(found->parts[found->matched], "%{NUMBER:bytes}");
}

TEST(GrokExplain, SaysThatNothingOrAllMatched) {
  const auto none = explain("^%{IP:client} x", kEcs, "no address");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->matched, 1U);  // "^" alone
  const auto all = explain("%{IP:client} x", kEcs, "1.2.3.4 x");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->matched, all->parts.size());
}

TEST(PatternLibrary, ReadsFilesAsPeopleWriteThem) {
  PatternLibrary library(Vocabulary::ecs);
  library.add_file("# comment\r\nONE  a b \r\n\n  TWO\t%{ONE}c\nNOTHING\nWORD [x]");
  EXPECT_EQ(library.find("ONE"), "a b ");
  EXPECT_EQ(library.find("TWO"), "%{ONE}c");
  EXPECT_EQ(library.find("NOTHING"), "");
  EXPECT_EQ(library.find("WORD"), "[x]");
}

TEST(PatternLibrary, PatternsThatUnfoldWithoutEndAreRefused) {
  PatternLibrary library(Vocabulary::ecs);
  library.add("P0", "aaaaaaaaaa");
  for (int i = 1; i < 40; ++i) {
    const std::string before = "%{P" + std::to_string(i - 1) + "}";
    library.add("P" + std::to_string(i), before + before);
  }
  const auto grok = Grok::compile("%{P39}", library, {});
  ASSERT_FALSE(grok);
  EXPECT_THAT(grok.error().text(), HasSubstr("unfolds to more than"));
}

}  // namespace
}  // namespace enclave::pipeline::grok
