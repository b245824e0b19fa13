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
  for (std::uint64_t first : {1ULL, 8ULL, 98ULL, 9'999ULL, 109'999ULL, 9'999'999'999'999'999'998ULL}) {
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
  const std::string rest = R"("as":7,"pos":)";
  EXPECT_EQ(records_of(batch, 7),
            "{\"seq\":7," + head + "10,\"raw\":\"say \\\"hi\\\"\\t\\\\\"}\n" + "{\"seq\":8," + rest +
                "10,\"raw_b64\":\"/w==\"}\n" + "{\"seq\":9," + rest + "10,\"raw\":\"x\",\"eol\":\"\\r\\n\"}\n" +
                "{\"seq\":10," + rest +
                "\"s=1;i=2\",\"raw\":\"y\",\"eol\":\"\",\"cut\":7,\"journal\":{\"A\":[\"1\",\"2\"]}}\n");
}

TEST(Record, SharesWhatItHasInCommonWithTheOneBefore) {
  Batch batch;
  batch.wall_ns = 1'795'426'793'123'456'789;
  batch.boot_ns = 42;
  const auto add = [&](std::string_view source, std::uint64_t offset) {
    batch.events.push_back(line(batch, "x"));
    batch.events.back().offset = offset;
    batch.events.back().source = batch.source(source, "0");
  };
  add("file:/a@1", 1);
  add("file:/a@1", 3);
  add("file:/b,\"pos\":@1", 5);
  add("file:/b,\"pos\":@1", 7);
  const std::string text = records_of(batch, 5);
  const auto records = read_back(text);
  ASSERT_EQ(records.size(), 4U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].wall_ns, batch.wall_ns);
    EXPECT_EQ(records[i].boot_ns, 42);
    EXPECT_EQ(records[i].boot_id, "0-0");
    EXPECT_EQ(records[i].source, batch.sources[i / 2].source);
    EXPECT_EQ(records[i].position, std::to_string(2 * i + 1));
  }
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  EXPECT_EQ(context_seq(lines[0]), std::nullopt);
  EXPECT_EQ(context_seq(lines[1]), 5U);
  EXPECT_EQ(context_seq(lines[3]), 7U);
  // In full, each stands alone.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string whole = expanded(lines[i], lines[i / 2 * 2]);
    const auto read = RecordReader().read(whole);
    ASSERT_TRUE(read) << whole;
    EXPECT_EQ(read->source, records[i].source);
    EXPECT_EQ(read->seq, 5 + i);
    EXPECT_EQ(context_seq(whole), std::nullopt);
    EXPECT_EQ(expanded(whole, lines[0]), whole);
  }
}

TEST(Record, RefusesToGuessWhatAShortOneShares) {
  const std::string full =
      R"({"seq":5,"time":"2026-11-23T09:39:53.123456789Z","boot":"b","boot_ns":1,"src":"s","pos":1,"raw":""})";
  const auto fails = [&](std::string_view line, std::string_view why) {
    RecordReader reader;
    ASSERT_TRUE(reader.read(full));
    const auto read = reader.read(line);
    ASSERT_FALSE(read) << line;
    EXPECT_THAT(read.error().text(), testing::HasSubstr(why)) << line;
  };
  fails(R"({"seq":6,"as":4,"pos":1,"raw":""})", "not the latest full one");
  fails(R"({"seq":5,"as":5,"pos":1,"raw":""})", "not the latest full one");
  fails(R"({"seq":6,"as":5,"src":"t","pos":1,"raw":""})", "that the record named there tells");
  fails(R"({"seq":6,"as":"5","pos":1,"raw":""})", "not a number");
  fails(R"({"seq":6,"pos":1,"raw":""})", "a member is missing");
  EXPECT_FALSE(RecordReader().read(R"({"seq":6,"as":5,"pos":1,"raw":""})"));
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
