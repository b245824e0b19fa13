#include "pipeline/line_joiner.h"

#include <gmock/gmock.h>

#include <limits>
#include <random>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = MultilineRule::Kind;

struct Line {
  std::string source, text;
  std::string fields = {};
};

/// Gives lines to a joiner in batches and gathers what comes out.
class Bench {
 public:
  explicit Bench(const MultilineRule& rule) : joiner({rule}, {clock, io::real_files(), io::real_random()}, log) {}

  /// True when something of it is held. `adjacent`: the lines stand one behind the other in memory.
  bool give(std::span<const Line> lines, bool adjacent = false) {
    event::Batch batch;
    std::string all;
    for (const auto& line : lines) all += line.text + "\n";
    std::string_view memory = batch.store(all);
    for (const auto& line : lines) {
      auto& event = batch.events.emplace_back();
      event.raw = adjacent ? memory.substr(0, line.text.size()) : batch.store(line.text);
      memory.remove_prefix(line.text.size() + 1);
      if (!line.fields.empty()) event.fields = batch.store(line.fields);
      std::uint64_t& offset = offsets[line.source];
      event.offset = offset;
      event.source = batch.source(line.source, std::to_string(offset));
      offset += line.text.size() + 1;
      batch.sources[event.source].to = batch.sources[event.source].state = std::to_string(offset);
      ++batch.sources[event.source].count;
    }
    const bool held = joiner.apply(batch);
    take(batch);
    return held;
  }
  bool give(const std::vector<std::string>& given) {
    std::vector<Line> lines;
    for (const auto& text : given) lines.push_back({"file:/a@1", text});
    return give(lines);
  }
  void flush(bool all) {
    event::Batch batch;
    joiner.flush(batch, all);
    take(batch);
  }

  testing::TestClock clock;
  testing::TestLog log;
  LineJoiner joiner;
  std::vector<std::string> texts;             ///< in order
  std::map<std::string, std::string> events;  ///< of each source: offset, text and what was left out
  std::map<std::string, std::uint64_t> offsets;

 private:
  void take(const event::Batch& batch) {
    std::vector<std::uint64_t> counts(batch.sources.size());
    for (const auto& event : batch.events) {
      texts.emplace_back(event.raw);
      events[batch.sources.at(event.source).source] +=
          fmt::format("{} {} {}\n--\n", event.offset, event.cut_bytes, event.raw);
      ++counts[event.source];
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      EXPECT_EQ(batch.sources[i].count, counts[i]);
      EXPECT_NE(batch.sources[i].state, "") << "the source would be forgotten";
    }
  }
};

MultilineRule rule(std::string pattern, bool negate, bool after) {
  MultilineRule one;
  one.pattern = std::move(pattern);
  one.negate = negate;
  one.after = after;
  return one;
}

TEST(LineJoiner, LinesThatMatchBelongToTheLineBeforeThem) {
  Bench bench(rule("^\\s", false, true));
  EXPECT_TRUE(bench.give({"a", " b", " c", "d", "e"}));
  EXPECT_THAT(bench.texts, ElementsAre("a\n b\n c", "d"));
  bench.flush(true);
  EXPECT_THAT(bench.texts, ElementsAre("a\n b\n c", "d", "e"));
}

TEST(LineJoiner, LinesThatDoNotMatchBelongToTheLineBeforeThem) {
  Bench bench(rule("^\\[", true, true));
  bench.give({"[1", "x", "[2", "[3", "y"});
  bench.flush(true);
  EXPECT_THAT(bench.texts, ElementsAre("[1\nx", "[2", "[3\ny"));
}

std::vector<Line> parts_of(const std::vector<std::string>& texts) {
  std::vector<Line> lines;
  for (const auto& text : texts) {
    const bool goes_on = text.ends_with('+');
    lines.push_back({"file:/a@1", goes_on ? text.substr(0, text.size() - 1) : text,
                     goes_on ? "\"ns\":1," + std::string(kGoesOn) : ""});
  }
  return lines;
}

TEST(LineJoiner, PartsOfALineAreOneBeforeThePatternLooksAtIt) {
  auto one = rule("x$", false, true);
  one.parts = true;
  for (const std::size_t each : {1U, 2U, 7U}) {
    Bench bench(one);
    const auto lines = parts_of({"a", "b+", "+", "x", "x+", "y", "z+"});
    for (std::size_t at = 0; at < lines.size(); at += each)
      bench.give(std::span(lines).subspan(at, std::min(each, lines.size() - at)));
    bench.flush(true);
    EXPECT_THAT(bench.texts, ElementsAre("a\nbx", "xy", "z")) << each;
  }
}

TEST(LineJoiner, ABatchWithThePartOfALineIsHeldUntilTheLineIsGiven) {
  auto one = rule("^ ", false, true);
  one.parts = true;
  Bench bench(one);
  bench.give(parts_of({"a", "b+"}));
  EXPECT_EQ(bench.joiner.oldest_held(), 1U);
  bench.give(parts_of({"c"}));
  // "a" is given out, but "bc" began in the first batch.
  EXPECT_THAT(bench.texts, ElementsAre("a"));
  EXPECT_EQ(bench.joiner.oldest_held(), 1U);
  bench.give(parts_of({"d"}));
  EXPECT_EQ(bench.joiner.oldest_held(), 3U);
  EXPECT_THAT(bench.texts, ElementsAre("a", "bc"));
}

TEST(LineJoiner, LinesThatMatchBelongToTheNextOne) {
  Bench bench(rule("\\\\$", false, false));
  EXPECT_FALSE(bench.give({"a\\", "b", "c"}));
  EXPECT_THAT(bench.texts, ElementsAre("a\\\nb", "c"));
}

TEST(LineJoiner, LinesThatDoNotMatchBelongToTheNextOne) {
  Bench bench(rule(";$", true, false));
  EXPECT_TRUE(bench.give({"a", "b;", "c;", "d"}));
  EXPECT_THAT(bench.texts, ElementsAre("a\nb;", "c;"));
}

TEST(LineJoiner, AFlushPatternEndsAnEventWithItsLine) {
  auto one = rule("^begin", true, true);
  one.flush_pattern = "^end";
  Bench bench(one);
  EXPECT_TRUE(bench.give({"begin", "a", "end", "b", "begin"}));
  EXPECT_THAT(bench.texts, ElementsAre("begin\na\nend", "b"));
}

TEST(LineJoiner, SoManyLinesAreOneEvent) {
  MultilineRule one;
  one.kind = Kind::count;
  one.count_lines = 3;
  Bench bench(one);
  EXPECT_TRUE(bench.give({"a", "b", "c", "d"}));
  EXPECT_FALSE(bench.give({"e", "f"}));
  EXPECT_THAT(bench.texts, ElementsAre("a\nb\nc", "d\ne\nf"));
}

TEST(LineJoiner, LinesInARowThatMatchAreOneEventAndOthersStandAlone) {
  auto one = rule("^\\{", false, true);
  one.kind = Kind::while_pattern;
  Bench bench(one);
  EXPECT_FALSE(bench.give({"{a", "{b", "c", "d", "{e", "f"}));
  EXPECT_THAT(bench.texts, ElementsAre("{a\n{b", "c", "d", "{e", "f"));
}

TEST(LineJoiner, LinesMayBeJoinedWithoutALineFeed) {
  auto one = rule("^ ", false, true);
  one.skip_newline = true;
  Bench bench(one);
  bench.give({"a", " b"});
  bench.flush(true);
  EXPECT_THAT(bench.texts, ElementsAre("a b"));
}

TEST(LineJoiner, MoreLinesThanAllowedAreLeftOutAndCounted) {
  auto one = rule("^ ", false, true);
  one.lines_max = 2;
  Bench bench(one);
  bench.give({"a", " b", " c", " d", "e"});
  EXPECT_THAT(bench.texts, ElementsAre("a\n b"));
  EXPECT_EQ(bench.events["file:/a@1"], "0 4 a\n b\n--\n");
  EXPECT_EQ(bench.log.counters["multiline_lines_left_out"], 2);
}

TEST(LineJoiner, MoreBytesThanAllowedAreCutAndCounted) {
  auto one = rule("^ ", false, true);
  one.bytes_max = 6;
  Bench bench(one);
  bench.give({"abcdefgh", "abc", " defg", " h", "i"});
  EXPECT_THAT(bench.texts, ElementsAre("abcdef", "abc\n d"));
  EXPECT_EQ(bench.events["file:/a@1"], "0 2 abcdef\n--\n9 5 abc\n d\n--\n");
}

TEST(LineJoiner, SourcesDoNotMix) {
  Bench bench(rule("^ ", false, true));
  bench.give(std::vector<Line>{{"x", "a"}, {"y", "b"}, {"x", " c"}, {"y", " d"}, {"x", "e"}});
  EXPECT_THAT(bench.texts, ElementsAre("a\n c"));
  bench.flush(true);
  EXPECT_EQ(bench.events["x"], "0 0 a\n c\n--\n5 0 e\n--\n");
  EXPECT_EQ(bench.events["y"], "0 0 b\n d\n--\n");
}

TEST(LineJoiner, WhatWaitsTooLongIsGivenOut) {
  Bench bench(rule("^ ", false, true));
  EXPECT_EQ(bench.joiner.next_boot_ns(), std::numeric_limits<std::int64_t>::max());
  bench.give({"a"});
  EXPECT_EQ(bench.joiner.next_boot_ns(), bench.clock.boot_ns() + 5'000'000'000);
  bench.clock.moved_ns += 4'000'000'000;
  bench.give({" b"});
  bench.clock.moved_ns += 4'000'000'000;
  bench.flush(false);
  EXPECT_THAT(bench.texts, IsEmpty());
  bench.clock.moved_ns += 1'000'000'000;
  bench.flush(false);
  EXPECT_THAT(bench.texts, ElementsAre("a\n b"));
  EXPECT_FALSE(bench.joiner.holding());
}

TEST(LineJoiner, TellsTheOldestBatchOfWhichALineIsHeld) {
  Bench bench(rule("^ ", false, true));
  EXPECT_EQ(bench.joiner.oldest_held(), 0U);
  bench.give({"a"});
  EXPECT_TRUE(bench.give({" b"}));
  EXPECT_EQ(bench.joiner.oldest_held(), 1U);
  bench.give({"c"});
  EXPECT_EQ(bench.joiner.oldest_held(), 3U);
  EXPECT_FALSE(bench.give(std::vector<Line>{}));
  EXPECT_EQ(bench.joiner.oldest_held(), 3U);
  bench.flush(true);
  EXPECT_EQ(bench.joiner.oldest_held(), 0U);
}

TEST(LineJoiner, TooManySourcesMakeTheOldestEventEnd) {
  Bench bench(rule("^ ", false, true));
  for (int i = 0; i < 4100; ++i) bench.give(std::vector<Line>{{std::to_string(i), "a" + std::to_string(i)}});
  EXPECT_THAT(bench.texts, ElementsAre("a0", "a1", "a2", "a3"));
  EXPECT_EQ(bench.log.counters["multiline_given_early"], 4);
}

TEST(LineJoiner, EmptyLinesAreLines) {
  Bench bench(rule("^x", true, true));
  bench.give({""});
  bench.give({""});
  bench.give({"", "x"});
  EXPECT_THAT(bench.texts, ElementsAre("\n\n"));
}

TEST(LineJoiner, MistakesInARuleAreSaid) {
  EXPECT_FALSE(LineJoiner::check(rule("(", false, true)));
  EXPECT_FALSE(LineJoiner::check(rule("", false, true)));
  MultilineRule none;
  none.kind = Kind::count;
  EXPECT_FALSE(LineJoiner::check(none));
  EXPECT_TRUE(LineJoiner::check(rule("^a", false, true)));
}

MultilineRule any_rule(std::mt19937& random) {
  constexpr std::string_view kPatterns[] = {"^ ", "a", "^$", "b$", "."};
  const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  MultilineRule one = rule(std::string(kPatterns[pick(5)]), pick(2) == 0, pick(2) == 0);
  one.kind = static_cast<Kind>(pick(3));
  one.count_lines = 1 + pick(4);
  if (pick(3) == 0) one.flush_pattern = "c";
  if (pick(3) == 0) one.lines_max = 1 + pick(4);
  if (pick(3) == 0) one.bytes_max = 1 + pick(12);
  one.skip_newline = pick(4) == 0;
  return one;
}

TEST(LineJoiner, WhereverTheLinesAreCutIntoBatchesTheEventsAreTheSame) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  for (int round = 0; round < 3000; ++round) {
    const MultilineRule one = any_rule(random);
    std::vector<Line> lines;
    for (unsigned i = pick(30); i > 0; --i) {
      Line& line = lines.emplace_back();
      line.source = std::string(1, static_cast<char>('p' + pick(3)));
      for (unsigned k = pick(5); k > 0; --k) line.text += " abc"[pick(4)];
    }
    Bench whole(one), cut(one);
    whole.give(lines, true);
    whole.flush(true);
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t count = std::min<std::size_t>(lines.size() - at, pick(4));
      cut.give(std::span(lines).subspan(at, count), pick(2) == 0);
      at += count;
    }
    cut.flush(true);
    ASSERT_EQ(cut.events, whole.events) << "seed " << seed << ", round " << round;
  }
}

}  // namespace
}  // namespace enclave::pipeline
