#include "event/compress.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <random>
#include <string>

namespace enclave::event {
namespace {

std::string some_log(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes)
    text += fmt::format("Nov 23 host sshd[{}]: Failed password for user{}\n", random() % 9999, random());
  text.resize(bytes);
  return text;
}

std::string frame_of(std::string_view plain, int level = kZstdLevel) {
  std::string out;
  Compressor(level).frame(plain, out);
  return out;
}

TEST(Compress, FramesOneAfterTheOtherGiveThePlainTextBack) {
  Compressor compressor;
  std::string frames;
  std::string plain;
  for (const std::size_t size : {0, 1, 100, 131072, 131073, 3 << 20}) {
    const std::string part = some_log(size, 5);
    compressor.frame(part, frames);
    plain += part;
  }
  EXPECT_EQ(decompress(frames, plain.size()).value(), plain);
  EXPECT_LT(frames.size(), plain.size() / 2);
}

TEST(Compress, FramesSayTheirSizeAndCarryAChecksum) {
  const std::string plain = some_log(5000, 1);
  std::string frame = frame_of(plain);
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), plain.size());
  frame.back() = static_cast<char>(frame.back() ^ 1);  // the checksum stands last
  EXPECT_EQ(decompress(frame, plain.size()).error().fault(), Fault::corrupt);
}

TEST(Compress, ComesInAnyPieces) {
  const std::string plain = some_log(300000, 2);
  const std::string frames = frame_of(plain) + frame_of("") + frame_of(plain.substr(0, 17));
  for (const std::size_t step : {1, 7, 4096, 1 << 20}) {
    Decompressor decompressor;
    std::string got;
    for (std::size_t at = 0; at < frames.size(); at += step)
      ASSERT_TRUE(decompressor
                      .feed(std::string_view(frames).substr(at, step), 1 << 20,
                            [&](std::string_view piece) -> Result<void> {
                              got += piece;
                              return {};
                            })
                      .has_value());
    EXPECT_TRUE(decompressor.finish().has_value());
    EXPECT_EQ(got, plain + plain.substr(0, 17)) << step;
  }
}

TEST(Compress, EveryCutOffTailIsFoundAndTheNextFileReadsWell) {
  const std::string plain = some_log(700, 3);
  const std::string frame = frame_of(plain);
  Decompressor decompressor;
  for (std::size_t size = 1; size < frame.size(); ++size) {
    std::string got;
    const auto take = [&](std::string_view piece) -> Result<void> {
      got += piece;
      return {};
    };
    EXPECT_TRUE(decompressor.feed(std::string_view(frame).substr(0, size), 1000, take).has_value());
    const auto finished = decompressor.finish();
    ASSERT_FALSE(finished.has_value()) << size;
    EXPECT_EQ(finished.error().fault(), Fault::corrupt);
    got.clear();
    EXPECT_TRUE(decompressor.feed(frame, 1000, take).has_value());
    EXPECT_TRUE(decompressor.finish().has_value());
    EXPECT_EQ(got, plain);
  }
}

TEST(Compress, WhatUnfoldsToMoreThanAllowedIsRefused) {
  const std::string bomb = frame_of(std::string(8 << 20, '\0'));
  EXPECT_LT(bomb.size(), 2000U);
  EXPECT_EQ(decompress(bomb, (8 << 20) - 1).error().fault(), Fault::limit);
  EXPECT_EQ(decompress(bomb + bomb, 10 << 20).error().fault(), Fault::limit);
  EXPECT_TRUE(decompress(bomb, 8 << 20).has_value());
}

TEST(Compress, AFrameThatWantsALargeWindowIsRefused) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  std::string frame(ZSTD_compressBound(20), '\0');
  ZSTD_inBuffer in{"some text", 9, 0};
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);  // without its size known, the window stays as asked
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  EXPECT_EQ(decompress({frame.data(), out.pos}, 1000).error().fault(), Fault::limit);
}

TEST(Compress, EveryLevelStaysWithinOurWindow) {
  std::string plain;
  for (int i = 0; i < 144; ++i) plain += some_log(64 << 10, 4);
  for (const int level : {1, 3, 22}) EXPECT_TRUE(decompress(frame_of(plain, level), plain.size()).value() == plain);
}

TEST(Compress, OtherBytesAreCorrupt) {
  EXPECT_EQ(decompress("plain text", 100).error().fault(), Fault::corrupt);
  EXPECT_EQ(decompress(frame_of("a") + "tail", 100).error().fault(), Fault::corrupt);
  EXPECT_EQ(decompress("", 100).value(), "");
}

TEST(Compress, TheTakersErrorIsGivenBackAndEndsTheFile) {
  Decompressor decompressor;
  const auto refuse = [](std::string_view) -> Result<void> { return Error{Fault::busy, "not now"}; };
  EXPECT_EQ(decompressor.feed(frame_of("text"), 100, refuse).error().fault(), Fault::busy);
  EXPECT_FALSE(decompressor.feed(frame_of("text"), 100, refuse).has_value());
  EXPECT_FALSE(decompressor.finish().has_value());
}

}  // namespace
}  // namespace enclave::event
