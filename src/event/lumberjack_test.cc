#include "event/lumberjack.h"

#include <gmock/gmock.h>

#include <random>

namespace enclave::event {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string pairs_frame(std::uint32_t sequence, const std::vector<std::string>& texts) {
  std::string frame = "1D" + number(sequence) + number(static_cast<std::uint32_t>(texts.size() / 2));
  for (const auto& text : texts) frame += number(static_cast<std::uint32_t>(text.size())) + text;
  return frame;
}

/// What a decoder gave out, as texts: an event is its JSON, an end of a window "ack VERSION:NUMBER".
struct Seen {
  std::vector<std::string> items;
  std::string error;
  Fault fault = Fault::invalid;
};

void drain(LumberjackDecoder& decoder, Seen& seen) {
  for (;;) {
    auto item = decoder.next();
    if (!item) {
      seen.error = item.error().text();
      seen.fault = item.error().fault();
      return;
    }
    if (!*item) return;
    if ((*item)->is_event) seen.items.emplace_back((*item)->json);
    if ((*item)->ends_window)
      seen.items.push_back(fmt::format("ack {}:{}", static_cast<char>((*item)->version), (*item)->ack));
  }
}

Seen read(std::string_view bytes, LumberjackLimits limits = {}) {
  LumberjackDecoder decoder(limits);
  Seen seen;
  decoder.feed(bytes);
  drain(decoder, seen);
  return seen;
}

std::string events(std::uint32_t first, std::uint32_t count) {
  std::string frames;
  for (std::uint32_t i = first; i < first + count; ++i)
    append_lumberjack_json(frames, i, fmt::format("{{\"n\":{}}}", i));
  return frames;
}

std::string window(std::uint32_t count) {
  std::string bytes;
  append_lumberjack_window(bytes, count);
  return bytes;
}

std::string packed(std::string_view frames) {
  std::string bytes;
  append_lumberjack_compressed(bytes, frames, 6);
  return bytes;
}

TEST(Lumberjack, GivesEventsAsReceivedAndTheEndOfEachWindow) {
  const auto seen = read(window(2) + events(1, 2) + window(1) + events(1, 1));
  EXPECT_THAT(seen.items, ElementsAre("{\"n\":1}", "{\"n\":2}", "ack 2:2", "{\"n\":1}", "ack 2:1"));
  EXPECT_EQ(seen.error, "");
}

TEST(Lumberjack, OneWindowMaySpanSeveralCompressedFrames) {
  const auto seen = read(window(5) + packed(events(1, 2)) + events(3, 1) + packed(events(4, 2)));
  EXPECT_THAT(seen.items, ElementsAre("{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}", "{\"n\":5}", "ack 2:5"));
}

TEST(Lumberjack, AWindowMayStandInsideTheCompressedFrame) {
  EXPECT_THAT(read(packed(window(1) + events(1, 1))).items, ElementsAre("{\"n\":1}", "ack 2:1"));
}

TEST(Lumberjack, AnEmptyWindowIsAnsweredWithZero) { EXPECT_THAT(read(window(0)).items, ElementsAre("ack 2:0")); }

TEST(Lumberjack, AWindowThatIsCutShortByTheNextOneEndsThere) {
  EXPECT_THAT(read(window(9) + events(1, 1) + window(1) + events(1, 1)).items,
              ElementsAre("{\"n\":1}", "ack 2:1", "{\"n\":1}", "ack 2:1"));
}

TEST(Lumberjack, AWindowAnnouncedOnceMeansEveryOne) {
  EXPECT_THAT(read(window(2) + events(1, 4)).items,
              ElementsAre("{\"n\":1}", "{\"n\":2}", "ack 2:2", "{\"n\":3}", "{\"n\":4}", "ack 2:4"));
}

TEST(Lumberjack, PairsOfVersionOneBecomeAnObject) {
  const std::string bytes = "1W" + number(1) + pairs_frame(7, {"line", "a \"b\"\n\xff!", "offset", "12"});
  EXPECT_THAT(read(bytes).items,
              ElementsAre("{\"line\":\"a \\\"b\\\"\\n\xef\xbf\xbd!\",\"offset\":\"12\"}", "ack 1:7"));
}

TEST(Lumberjack, AnySplitOfTheBytesGivesTheSameItems) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto pick = [&](std::uint32_t below) {
    return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(random);
  };
  for (int round = 0; round < 60; ++round) {
    std::string bytes;
    for (int windows = 0; windows < 4; ++windows) {
      const std::uint32_t count = pick(20);
      bytes += window(count);
      for (std::uint32_t i = 1; i <= count;) {
        const std::uint32_t some = std::min(count - i + 1, 1 + pick(5));
        std::string frames;
        for (std::uint32_t k = i; k < i + some; ++k)
          append_lumberjack_json(frames, k, std::string(pick(2) == 0 ? pick(30) : pick(100'000), 'x'));
        bytes += pick(2) == 0 ? packed(frames) : frames;
        i += some;
      }
    }
    const auto whole = read(bytes);
    ASSERT_EQ(whole.error, "");
    LumberjackDecoder decoder;
    Seen seen;
    const std::uint32_t piece_max = 1 + pick(pick(2) == 0 ? 9 : 5'000);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + pick(piece_max));
      decoder.feed(std::string_view(bytes).substr(at, piece));
      at += piece;
      if (pick(3) > 0) drain(decoder, seen);
    }
    drain(decoder, seen);
    EXPECT_EQ(seen.error, "");
    ASSERT_EQ(seen.items, whole.items) << "seed " << seed << " round " << round;
    EXPECT_FALSE(decoder.mid_frame());
    EXPECT_FALSE(decoder.mid_window());
  }
}

TEST(Lumberjack, WhatIsNotWholeGivesNothingAndIsSaidToBeOpen) {
  LumberjackDecoder decoder;
  Seen seen;
  decoder.feed(window(2) + events(1, 1));
  drain(decoder, seen);
  EXPECT_FALSE(decoder.mid_frame());
  EXPECT_TRUE(decoder.mid_window());
  decoder.feed("2J");
  drain(decoder, seen);
  EXPECT_TRUE(decoder.mid_frame());
  EXPECT_THAT(seen.items, ElementsAre("{\"n\":1}"));
}

TEST(Lumberjack, RefusesWhatHasNoBound) {
  const auto refused = [](std::string_view bytes, LumberjackLimits limits = {}) {
    const auto seen = read(bytes, limits);
    EXPECT_EQ(seen.fault, Fault::limit) << seen.error;
    return seen.error;
  };
  EXPECT_THAT(refused(window(4'000'000'000)), HasSubstr("a window of 4000000000 events, at most 10000"));
  EXPECT_THAT(refused(window(1) + "2J" + number(1) + number(0xffffffff)), HasSubstr("a frame of 4294967295 bytes"));
  EXPECT_THAT(refused(window(1) + "2C" + number(0xffffffff)), HasSubstr("a frame of 4294967295 bytes"));
  EXPECT_THAT(refused("1W" + number(1) + "1D" + number(1) + number(4'000'000'000)), HasSubstr("4000000000 pairs"));
  EXPECT_THAT(refused("1W" + number(1) + "1D" + number(1) + number(1) + number(0xfffffff0)), HasSubstr("a frame of"));
  EXPECT_THAT(refused(packed(packed(window(1)))), HasSubstr("inside a compressed one"));
  EXPECT_THAT(refused(packed(window(1) + "2J" + number(1) + number(9 << 20) + std::string(9 << 20, ' '))),
              HasSubstr("256 times its own"));
  LumberjackLimits small;
  small.inflated_bytes = 1000;
  EXPECT_THAT(refused(packed(window(9'999) + events(1, 500)), small), HasSubstr("more than 1000 bytes"));
}

TEST(Lumberjack, RefusesWhatIsNotTheProtocol) {
  const auto refused = [](std::string_view bytes) {
    const auto seen = read(bytes);
    EXPECT_EQ(seen.fault, Fault::corrupt);
    return seen.error;
  };
  EXPECT_THAT(refused("GET / HTTP/1.1\r\n"), HasSubstr("not the Lumberjack protocol"));
  EXPECT_THAT(refused("\x16\x03\x01"), HasSubstr("byte 0x16"));
  EXPECT_THAT(refused("2X"), HasSubstr("type 0x58"));
  EXPECT_THAT(refused("2A" + number(1)), HasSubstr("type 0x41"));
  EXPECT_THAT(refused(events(1, 1)), HasSubstr("before any window"));
  EXPECT_THAT(refused(window(1) + "2C" + number(0)), HasSubstr("ends before its stream"));
  EXPECT_THAT(refused(window(1) + "2C" + number(4) + "abcd"), HasSubstr("damaged"));
  const std::string good = packed(events(1, 1));
  const std::string stream = good.substr(6);
  EXPECT_THAT(refused(window(1) + "2C" + number(static_cast<std::uint32_t>(stream.size() - 1)) + stream),
              HasSubstr("ends before its stream"));
  EXPECT_THAT(refused(window(2) + "2C" + number(static_cast<std::uint32_t>(stream.size() + 3)) + stream + "xyz"),
              HasSubstr("3 bytes behind"));
  EXPECT_THAT(refused(packed(window(1) + "2J" + number(1) + number(100) + "{}")), HasSubstr("reaches beyond"));
}

TEST(Lumberjack, KeepsLittleMemoryBetweenFrames) {
  LumberjackDecoder decoder;
  Seen seen;
  std::string frame;
  append_lumberjack_json(frame, 1, std::string(5 << 20, 'x'));
  decoder.feed(window(1) + frame);
  drain(decoder, seen);
  EXPECT_EQ(seen.items.size(), 2U);
  EXPECT_LT(decoder.buffered(), 1U << 20);
}

TEST(Lumberjack, AcknowledgementsAreReadBack) {
  std::string bytes;
  append_lumberjack_ack(bytes, '2', 2048);
  EXPECT_EQ(bytes, std::string("2A\0\0\x08\0", 6));
  std::string_view rest = bytes;
  EXPECT_EQ(take_lumberjack_ack(rest).value(), 2048U);
  EXPECT_TRUE(rest.empty());
  rest = "2A";
  EXPECT_EQ(take_lumberjack_ack(rest).value(), std::nullopt);
  rest = "2J";
  EXPECT_FALSE(take_lumberjack_ack(rest));
}

}  // namespace
}  // namespace enclave::event
