#include "pipeline/journal_fields.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

std::string json(const JournalFields& fields, std::size_t* cut = nullptr) {
  std::string out;
  const std::size_t count = fields.append_to(out);
  if (cut != nullptr) *cut = count;
  return out;
}

TEST(JournalFields, KeepEveryValueInTheOrderOfTheJournal) {
  JournalFields fields;
  fields.add_stored("MESSAGE=the message");
  fields.add_stored("B=1");
  fields.add_stored("A=x=y");
  fields.add_stored("B=\xff");
  fields.add_stored("EMPTY=");
  fields.add_stored("no equals sign");
  fields.add_stored("=no name");
  EXPECT_EQ(fields.message(), "the message");
  EXPECT_EQ(json(fields), R"("journal":{"B":["1",{"b64":"/w=="}],"A":"x=y","EMPTY":""})");
}

TEST(JournalFields, KeepFurtherMessagesAsFields) {
  JournalFields fields;
  fields.add_stored("MESSAGE=one");
  fields.add_stored("MESSAGE=two");
  EXPECT_EQ(fields.message(), "one");
  EXPECT_EQ(json(fields), R"("journal":{"MESSAGE":"two"})");
  fields.clear();
  EXPECT_EQ(json(fields), R"("journal":{})");
  EXPECT_EQ(fields.message(), "");
}

TEST(JournalFields, CutAndMarkWhatIsTooMuch) {
  JournalFields fields;
  const std::string most(JournalFields::kBytesMax - 1, 'm');
  fields.add("MOST", most);
  fields.add("REST", "a\xc3\xa4");
  fields.add("BYTES", "\xff\xff");
  fields.add("MESSAGE", most + "xyz");
  std::size_t cut = 0;
  const std::string text = json(fields, &cut);
  EXPECT_EQ(cut, 2U);
  EXPECT_TRUE(text.ends_with(R"("REST":{"text":"a","cut":2},"BYTES":{"b64":"","cut":2}})"))
      << text.substr(text.size() - 80);
  EXPECT_EQ(fields.message_cut(), 2U);
}

TEST(JournalFields, BoundTheirNumber) {
  JournalFields fields;
  for (std::size_t i = 0; i < JournalFields::kFieldsMax + 5; ++i) fields.add("F", "x");
  std::size_t cut = 0;
  EXPECT_LT(json(fields, &cut).size(), JournalFields::kFieldsMax * 4 + 100);
  EXPECT_EQ(cut, 5U);
}

}  // namespace
}  // namespace enclave::pipeline
