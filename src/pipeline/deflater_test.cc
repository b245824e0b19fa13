#include "pipeline/deflater.h"

#include <gtest/gtest.h>
#define ZLIB_CONST
#include <zlib.h>

#include <random>

namespace enclave::pipeline {
namespace {

/// By zlib, which did not write most of it.
std::string inflated(std::string_view packed, Deflater::Form form) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, form == Deflater::Form::gzip ? 15 + 16 : 15), Z_OK);
  std::string plain;
  std::string piece(1 << 16, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = inflate(&stream, Z_NO_FLUSH);
    plain.append(piece, 0, piece.size() - stream.avail_out);
  }
  EXPECT_EQ(code, Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U) << "bytes behind the end";
  inflateEnd(&stream);
  return plain;
}

class DeflaterOfLevel : public testing::TestWithParam<std::tuple<Deflater::Form, int>> {};

TEST_P(DeflaterOfLevel, WritesWhatZlibReads) {
  const auto [form, level] = GetParam();
  Deflater deflater(form, level);
  std::mt19937 random(7);
  std::string noise(300'000, '\0'), lines;
  for (char& c : noise) c = static_cast<char>(random());
  for (int i = 0; i < 20'000; ++i)
    lines += "10.0.0." + std::to_string(random() % 256) + " GET /" + std::to_string(i) + "\n";
  // One instance for all: nothing may stay from one to the next.
  for (const std::string& plain : {std::string(), std::string("a"), noise, std::string(5'000'000, 'x'), lines, noise}) {
    std::string out = "before";
    deflater.append(plain, out);
    ASSERT_EQ(out.substr(0, 6), "before");
    EXPECT_EQ(inflated(std::string_view(out).substr(6), form), plain) << plain.size() << " bytes";
  }
  std::string packed;
  deflater.append(lines, packed);
  EXPECT_LT(packed.size(), lines.size() / 2);
}

INSTANTIATE_TEST_SUITE_P(All, DeflaterOfLevel,
                         testing::Combine(testing::Values(Deflater::Form::gzip, Deflater::Form::zlib),
                                          testing::Range(1, 10)));

}  // namespace
}  // namespace enclave::pipeline
