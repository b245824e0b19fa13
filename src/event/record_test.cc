#include "event/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/encoding.h"

namespace enclave::event {
namespace {

Event line(Batch& batch, std::string_view raw, Eol eol = Eol::lf) {
  return {.raw = batch.store(raw),
          .fields = {},
          .position = {},
          .offset = 10,
          .cut_bytes = 0,
          .source = batch.source("file:/a@1", "0"),
          .eol = eol};
}

std::string records_of(const Batch& batch, std::uint64_t first = 1) {
  std::string out;
  std::vector<std::size_t> ends;
  write_records(batch, first, "0-0", out, ends);
  EXPECT_EQ(ends.size(), batch.events.size());
  return out;
}

std::vector<Record> read_back(std::string_view text) {
  RecordReader reader;
  std::vector<Record> records;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto record = reader.read(text.substr(0, end));
    EXPECT_TRUE(record) << record.error().text();
    if (record) records.push_back(std::move(*record));
    text.remove_prefix(end + 1);
  }
  return records;
}

TEST(Record, NumbersGoOnWhereADigitIsAdded) {
  Batch batch;
  for (int i = 0; i < 3; ++i) batch.events.push_back(line(batch, "x"));
  for (std::uint64_t first : {0ULL, 8ULL, 98ULL, 9'999ULL, 109'999ULL, 9'999'999'999'999'999'998ULL}) {
    for (const auto& record : read_back(records_of(batch, first))) EXPECT_EQ(record.seq, first++);
  }
}

TEST(Record, HasOneCanonicalForm) {
  Batch batch;
  batch.wall_ns = 1'795'426'793'123'456'789;
  batch.boot_ns = 42;
  batch.events.push_back(line(batch, "say \"hi\"\t\\"));
  batch.events.push_back(line(batch, "\xff"));
  batch.events.push_back(line(batch, "x", Eol::crlf));
  batch.events.push_back(line(batch, "y", Eol::none));
  batch.events.back().cut_bytes = 7;
  batch.events.back().fields = R"("journal":{"A":["1","2"]})";
  batch.events.back().position = "s=1;i=2";
  const std::string head =
      R"("time":"2026-11-23T09:39:53.123456789Z","boot":"0-0","boot_ns":42,"src":"file:/a@1","pos":)";
  EXPECT_EQ(records_of(batch, 7),
            "{\"seq\":7," + head + "10,\"raw\":\"say \\\"hi\\\"\\t\\\\\"}\n" + "{\"seq\":8," + head +
                "10,\"raw_b64\":\"/w==\"}\n" + "{\"seq\":9," + head + "10,\"raw\":\"x\",\"eol\":\"\\r\\n\"}\n" +
                "{\"seq\":10," + head +
                "\"s=1;i=2\",\"raw\":\"y\",\"eol\":\"\",\"cut\":7,\"journal\":{\"A\":[\"1\",\"2\"]}}\n");
}

TEST(Record, GivesTheOriginalBytesBack) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Batch batch;
    std::vector<std::string> originals;
    for (int i = 0; i < 20; ++i) {
      std::string raw;
      const unsigned kind = random() % 4;
      const std::size_t size = random() % 80;
      while (raw.size() < size) {
        if (kind == 0) raw += static_cast<char>(' ' + random() % 95);
        if (kind == 1) raw += static_cast<char>(random() % 32);
        if (kind == 2) raw += static_cast<char>(random() % 256);
        if (kind == 3) raw += random() % 2 ? "\xe2\x82\xac" : "a\"";
      }
      batch.events.push_back(line(batch, raw));
      originals.push_back(raw + "\n");
    }
    const auto records = read_back(records_of(batch));
    ASSERT_EQ(records.size(), originals.size());
    for (std::size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].original(), originals[i]) << "seed " << seed;
    EXPECT_EQ(records.back().seq, 20U);
  }
}

TEST(Record, WriterMemoryIsUsedAgainWithoutOldBytes) {
  RecordWriter writer;
  Batch large, small;
  large.events.push_back(line(large, std::string(100'000, '"')));
  small.events.push_back(line(small, "a"));
  (void)writer.write(large, 1, "b");
  const auto text = writer.write(small, 2, "b");
  ASSERT_EQ(writer.ends().size(), 1U);
  EXPECT_EQ(text.substr(0, writer.ends()[0]).back(), '}');
  EXPECT_EQ(read_back(text)[0].raw, "a");
}

TEST(Record, ReaderRefusesWhatIsNotARecord) {
  RecordReader reader;
  const std::string good =
      R"({"seq":1,"time":"2026-11-23T09:26:33Z","boot":"b","boot_ns":1,"src":"s","pos":1,"raw":"r"})";
  ASSERT_TRUE(reader.read(good));
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), good + "x",
        good.substr(0, good.size() - 1), std::string(R"({"seq":1,"seq":2})"), std::string(R"({"seq":-1})"),
        std::string("\xff\xfe"),
        std::string(R"({"seq":1,"time":"x","boot":"b","boot_ns":1,"src":"s","pos":1,"raw":"r"})"),
        std::string(
            R"({"seq":1,"time":"2026-11-23T09:26:33Z","boot":"b","boot_ns":1,"src":"s","pos":1,"raw_b64":"*"})")}) {
    const auto record = reader.read(bad);
    EXPECT_FALSE(record) << bad;
  }
}

TEST(Record, OtherMembersAreKeptAsOneObject) {
  RecordReader reader;
  const auto record =
      reader.read(R"({"seq":1,"time":"2026-11-23T09:26:33Z","boot":"b","boot_ns":1,"src":"s","pos":"c","raw":"r",)"
                  R"("journal":{"A":"1"},"n":[1]})");
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_EQ(record->fields, R"({"journal":{"A":"1"},"n":[1]})");
}

TEST(Json, TextForPeopleReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_text("a\xff\xe2\x82z\xe2\x82\xac"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xe2\x82\xac\"");
}

TEST(Batch, MemoryStaysWhereItIsWhileTheBatchGrowsAndMoves) {
  Batch batch;
  std::vector<std::string_view> views;
  for (int i = 0; i < 20'000; ++i) views.push_back(batch.store(std::to_string(i)));
  const Batch moved = std::move(batch);
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(views[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_GT(moved.bytes(), 0U);
}

}  // namespace
}  // namespace enclave::event
