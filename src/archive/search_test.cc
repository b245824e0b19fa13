#include "archive/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <random>

#include "archive/leaf.h"
#include "archive/note.h"
#include "archive/tiles.h"
#include "event/batch.h"
#include "event/compress.h"

namespace enclave::archive {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr char kOrigin[] = "x/i/g1";

class SeededRandom : public Random {
 public:
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_{7};
};

class MemorySource : public LogSource {
 public:
  std::map<std::string, std::string> objects;
  std::vector<std::string> asked;

  Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) override {
    for (const auto& [key, bytes] : objects) {
      if (!key.starts_with(prefix)) continue;
      Entry entry;
      entry.key = key;
      entry.bytes = bytes.size();
      TRY(visit(entry));
    }
    return {};
  }
  Result<std::string> get(const std::string& key, const std::string&, std::uint64_t) override {
    const std::lock_guard lock(mutex_);
    asked.push_back(key);
    const auto found = objects.find(key);
    if (found == objects.end()) return Error{Fault::absent, "{} is not there", key};
    return found->second;
  }
  std::string name() const override { return "memory"; }

 private:
  std::mutex mutex_;
};

/// A log with one object for each add().
class SearchTest : public testing::Test {
 protected:
  struct Line {
    std::string raw;
    std::string fields = "";
    std::string source = "file:/var/log/a.log@00000001";
  };

  void add(std::int64_t wall_s, const std::vector<Line>& lines) {
    event::Batch batch;
    batch.wall_ns = wall_s * kSecond;
    for (const auto& line : lines) {
      event::Event event;
      event.raw = batch.store(line.raw);
      event.fields = batch.store(line.fields);
      event.source = batch.source(line.source, "0");
      batch.events.push_back(event);
    }
    std::string records;
    std::vector<std::size_t> ends;
    event::write_records(batch, next_seq_, "0-0", records, ends);
    std::string frame;
    event::Compressor().frame(records, frame);
    const std::string_view part = frame;
    const std::vector recipients{identities_[0].recipient()};
    const std::string object = *crypto::age_encrypt(recipients, std::span(&part, 1), random_);

    Leaf leaf;
    leaf.origin = kOrigin;
    leaf.index = leaves_.size();
    leaf.seq = {next_seq_, next_seq_ + lines.size() - 1};
    leaf.boot_id = "0-0";
    leaf.time_first_ns = leaf.time_last_ns = wall_s * kSecond;
    leaf.root = Digest{};
    leaf.object = LeafObject{fmt::format("v1/{}/b/{:020}.ndjson.zst.age", kOrigin, leaf.index), object.size(),
                             crypto::sha256(object)};
    for (const auto& range : batch.sources) leaf.sources.push_back({range.source, "0", "1", lines.size(), 0});
    source_.objects[leaf.object->key] = object;
    next_seq_ += lines.size();
    leaves_.push_back(format_leaf(leaf));
    publish();
  }

  void publish() {
    Note note{Checkpoint{kOrigin, leaves_.size(), {}, {}}.text(), {}};
    note.sign(kOrigin, key_);
    const std::string prefix = fmt::format("v1/{}/", kOrigin);
    source_.objects[prefix + "checkpoint"] = note.format();
    for (std::size_t from = 0; from < leaves_.size(); from += kTileWidth) {
      const auto width = std::min<std::size_t>(kTileWidth, leaves_.size() - from);
      const TileId tile{.entries = true, .level = 0, .index = from / kTileWidth, .width = static_cast<unsigned>(width)};
      source_.objects[prefix + tile_path(tile)] = encode_entries(std::span(leaves_).subspan(from, width));
    }
  }

  std::vector<std::string> found(SearchOptions options) {
    options.identities = identities_;
    std::vector<std::string> lines;
    auto report = search(source_, options, [&](const SearchHit& hit) {
      lines.push_back(hit.record.raw);
      return true;
    });
    EXPECT_TRUE(report);
    if (report) report_ = std::move(*report);
    return lines;
  }
  std::vector<std::string> found_text(const std::string& text) {
    SearchOptions options;
    options.texts = {text};
    options.threads = 3;
    return found(options);
  }

  SeededRandom random_;
  std::vector<crypto::AgeIdentity> identities_ = [this] {
    std::vector<crypto::AgeIdentity> one;
    one.push_back(crypto::AgeIdentity::generate(random_));
    return one;
  }();
  crypto::Ed25519PrivateKey key_ = crypto::Ed25519PrivateKey::generate(random_);
  MemorySource source_;
  std::vector<std::string> leaves_;
  std::uint64_t next_seq_ = 1;
  SearchReport report_;
};

TEST_F(SearchTest, GivesMatchesNewestFirst) {
  add(100, {{"root login one"}, {"nothing"}, {"root login two"}});
  add(200, {{"root login three"}, {"else"}});
  EXPECT_THAT(found_text("root login"), ElementsAre("root login three", "root login two", "root login one"));
  EXPECT_EQ(report_.objects, 2U);
  EXPECT_EQ(report_.objects_searched, 2U);
  EXPECT_EQ(report_.hits, 3U);
  EXPECT_FALSE(report_.stopped);
}

TEST_F(SearchTest, FindsTextThatJsonEscapesAndBytesThatAreNoText) {
  add(100, {{"say \"hi\" \\ twice"}, {"bad \xff byte"}, {"tab\there"}, {"n"}});
  EXPECT_THAT(found_text("\"hi\" \\ t"), ElementsAre("say \"hi\" \\ twice"));
  EXPECT_THAT(found_text("bad"), ElementsAre("bad \xff byte"));
  EXPECT_THAT(found_text("\xff"), ElementsAre("bad \xff byte"));
  EXPECT_THAT(found_text("tab\there"), ElementsAre("tab\there"));
  EXPECT_THAT(found_text("\\there"), IsEmpty());
  EXPECT_THAT(found_text("\"seq\""), IsEmpty()) << "only the line is searched, not the record around it";
}

TEST_F(SearchTest, LeavesRuleOutObjectsByTimeAndSource) {
  add(100, {{"old"}});
  add(200, {{"middle"}});
  add(300, {{"new", "", "journal:abc"}});
  SearchOptions options;
  options.since_ns = 150 * kSecond;
  options.until_ns = 300 * kSecond;
  EXPECT_THAT(found(options), ElementsAre("middle"));
  EXPECT_EQ(report_.objects_searched, 1U);
  SearchOptions by_source;
  by_source.sources = {"journal:*"};
  EXPECT_THAT(found(by_source), ElementsAre("new"));
  EXPECT_EQ(report_.objects_searched, 1U);
  by_source.sources = {"/var/log/*.log"};
  EXPECT_THAT(found(by_source), ElementsAre("middle", "old"));
}

TEST_F(SearchTest, SourcesOfOneObjectAreToldApartRecordByRecord) {
  add(100, {{"a"}, {"b", "", "journal:abc"}, {"c"}});
  SearchOptions options;
  options.sources = {"journal:*"};
  EXPECT_THAT(found(options), ElementsAre("b"));
}

TEST_F(SearchTest, FieldsAreComparedWhole) {
  add(100, {{"one", R"("journal":{"_PID":"81","_COMM":["a","b"]})", "journal:x"},
            {"two", R"("journal":{"_PID":"812"})", "journal:x"},
            {"three"}});
  const auto by_field = [&](const std::string& name, const std::string& value) {
    SearchOptions options;
    options.fields = {{name, value}};
    return found(options);
  };
  EXPECT_THAT(by_field("_PID", "81"), ElementsAre("one"));
  EXPECT_THAT(by_field("journal._PID", "812"), ElementsAre("two"));
  EXPECT_THAT(by_field("_COMM", "b"), ElementsAre("one"));
  EXPECT_THAT(by_field("seq", "3"), ElementsAre("three"));
  EXPECT_THAT(by_field("src", "journal:x"), ElementsAre("two", "one"));
  EXPECT_THAT(by_field("raw", "three"), ElementsAre("three"));
  EXPECT_THAT(by_field("nowhere", "81"), IsEmpty());
}

TEST_F(SearchTest, ShortRecordsAreFoundAndShownInFullHoweverFarTheOneTheyName) {
  // More than one piece of decompression, with a change of source in the middle of one.
  std::vector<Line> lines;
  for (int i = 0; i < 9'000; ++i)
    lines.push_back({fmt::format("line {} {}", i, std::string(60, 'x')), "",
                     i < 5'000 ? "file:/var/log/a.log@00000001" : "file:/var/log/b.log@00000002"});
  add(100, lines);
  for (const std::size_t wanted : {0U, 1U, 2'500U, 4'999U, 5'000U, 5'001U, 8'999U}) {
    SearchOptions options;
    options.identities = identities_;
    options.texts = {fmt::format("line {} ", wanted)};
    options.fields = {{"src", lines[wanted].source}};
    std::vector<SearchHit> hits;
    (void)search(source_, options, [&](const SearchHit& hit) {
      hits.push_back(hit);
      return true;
    });
    ASSERT_EQ(hits.size(), 1U) << wanted;
    EXPECT_EQ(hits[0].record.seq, wanted + 1);
    EXPECT_EQ(event::context_seq(hits[0].line), std::nullopt);
    const auto alone = event::RecordReader().read(hits[0].line);
    ASSERT_TRUE(alone) << hits[0].line;
    EXPECT_EQ(alone->source, lines[wanted].source);
    EXPECT_EQ(alone->wall_ns, 100 * kSecond);
  }
}

TEST_F(SearchTest, LimitStopsAndSaysSo) {
  for (int i = 0; i < 40; ++i) add(100 + i, {{fmt::format("hit {}", i)}, {"miss"}, {fmt::format("hit {}b", i)}});
  SearchOptions options;
  options.texts = {"hit"};
  options.limit = 3;
  options.threads = 2;
  EXPECT_THAT(found(options), ElementsAre("hit 39b", "hit 39", "hit 38b"));
  EXPECT_TRUE(report_.stopped);
  EXPECT_LT(report_.objects_searched, 40U);
}

TEST_F(SearchTest, AnObjectThatIsNotWhatItsLeafNamesGivesNothing) {
  add(100, {{"good"}});
  add(200, {{"evil"}});
  add(300, {{"gone"}});
  auto object = source_.objects.begin();
  while (object->first.find("/b/00000000000000000001") == std::string::npos) ++object;
  object->second[object->second.size() / 2] ^= 1;
  source_.objects.erase(std::next(object));
  EXPECT_THAT(found({}), ElementsAre("good"));
  ASSERT_EQ(report_.troubles.size(), 2U);
  EXPECT_EQ(report_.troubles[0].fault, Fault::absent);
  EXPECT_EQ(report_.troubles[1].fault, Fault::corrupt);
  EXPECT_THAT(report_.troubles[1].key, HasSubstr("00000000000000000001"));
}

TEST_F(SearchTest, AnotherIdentityIsDenied) {
  add(100, {{"secret"}});
  std::vector<crypto::AgeIdentity> other;
  other.push_back(crypto::AgeIdentity::generate(random_));
  std::swap(identities_, other);
  EXPECT_THAT(found({}), IsEmpty());
  ASSERT_EQ(report_.troubles.size(), 1U);
  EXPECT_EQ(report_.troubles[0].fault, Fault::denied);
}

TEST_F(SearchTest, ReadsLogsOfMoreThanOneBundle) {
  for (int i = 0; i < 300; ++i) add(100 + i, {{fmt::format("line {}", i)}});
  // Partial bundles of earlier publications are gone; what a growing log replaces is read from the full one.
  EXPECT_THAT(found_text("line 7"), testing::Contains("line 7"));
  EXPECT_EQ(found({}).size(), 300U);
  EXPECT_EQ(report_.objects, 300U);
}

TEST_F(SearchTest, OneLogCanBeNamedWithoutListingTheBucket) {
  add(100, {{"here"}});
  SearchOptions options;
  options.origin = kOrigin;
  EXPECT_THAT(found(options), ElementsAre("here"));
  options.origin = "x/i/g9";
  EXPECT_THAT(found(options), IsEmpty());
  EXPECT_EQ(report_.troubles.size(), 1U);
}

TEST_F(SearchTest, ALeafFileThatIsDamagedIsNamed) {
  add(100, {{"here"}});
  source_.objects[fmt::format("v1/{}/tile/entries/000.p/1", kOrigin)] = "nonsense";
  EXPECT_THAT(found({}), IsEmpty());
  ASSERT_EQ(report_.troubles.size(), 1U);
  EXPECT_THAT(report_.troubles[0].key, HasSubstr("tile/entries/000.p/1"));
}

}  // namespace
}  // namespace enclave::archive
