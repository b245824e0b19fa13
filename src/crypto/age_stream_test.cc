#include "crypto/age_stream.h"

#include <gmock/gmock.h>

#include "crypto/test_random.h"

namespace enclave::crypto {
namespace {

std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

/// Sealed in parts of `part` chunks, the last part first.
std::string sealed(const AgeWriter& writer, std::string_view plain, std::size_t part) {
  const std::size_t step = part * kAgeStreamChunk;
  std::string chunks;
  std::size_t at = plain.empty() ? 0 : (plain.size() - 1) / step * step;
  for (bool last = true;; last = false, at -= step) {
    std::string piece;
    writer.seal(at / kAgeStreamChunk, plain.substr(at, step), last, piece);
    chunks = piece + chunks;
    if (at == 0) return writer.preface() + chunks;
  }
}

constexpr std::size_t kSizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000, 262144};

TEST(AgeStream, WritesInPartsWhatTheWholeReaderReads) {
  TestRandom random(1);
  const auto identity = AgeIdentity::generate(random);
  for (const std::size_t bytes : kSizes) {
    const std::string plain = text_of(bytes);
    const auto writer = AgeWriter::begin(std::span(&identity.recipient(), 1), random);
    ASSERT_TRUE(writer);
    const std::string file = sealed(*writer, plain, 2);
    EXPECT_EQ(writer->file_bytes(bytes), file.size());
    EXPECT_EQ(age_preface_bytes(1), writer->preface().size());
    const auto opened = age_decrypt(file, std::span(&identity, 1));
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ(*opened, plain);
  }
}

TEST(AgeStream, ReadsAnyChunksOfWhatTheWholeWriterWrote) {
  TestRandom random(2);
  const auto identity = AgeIdentity::generate(random);
  for (const std::size_t bytes : kSizes) {
    const std::string plain = text_of(bytes);
    const std::string_view parts[] = {plain};
    const auto file = age_encrypt(std::span(&identity.recipient(), 1), parts, random);
    ASSERT_TRUE(file);
    const auto reader =
        AgeReader::begin(std::string_view(*file).substr(0, 1024), file->size(), std::span(&identity, 1));
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(reader->plain_bytes(), bytes);
    EXPECT_EQ(reader->offset_of(reader->chunks()), file->size());
    for (std::uint64_t chunk = reader->chunks(); chunk-- > 0;) {
      std::string opened;
      const auto from = reader->offset_of(chunk);
      ASSERT_TRUE(reader->open(chunk, std::string_view(*file).substr(from, kAgeStreamSealedChunk), opened));
      EXPECT_EQ(opened, plain.substr(chunk * kAgeStreamChunk, kAgeStreamChunk));
    }
  }
}

TEST(AgeStream, GoesOnWithAKeptKeyAndRefusesAnother) {
  TestRandom random(3);
  const auto identity = AgeIdentity::generate(random);
  const auto writer = AgeWriter::begin(std::span(&identity.recipient(), 1), random);
  ASSERT_TRUE(writer);
  const std::string plain = text_of(200'000);
  const auto again = AgeWriter::resume(writer->preface(), writer->file_key().clone());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(sealed(*again, plain, 1), sealed(*writer, plain, 3));
  EXPECT_FALSE(AgeWriter::resume(writer->preface(), Secret(std::string(16, 'x'))));
  EXPECT_FALSE(AgeWriter::resume(writer->preface() + "x", writer->file_key().clone()));
}

TEST(AgeStream, FindsAChunkThatWasChangedMovedOrCut) {
  TestRandom random(4);
  const auto identity = AgeIdentity::generate(random);
  const std::string plain = text_of(200'000);
  const std::string_view parts[] = {plain};
  auto file = age_encrypt(std::span(&identity.recipient(), 1), parts, random);
  ASSERT_TRUE(file);
  const auto reader = AgeReader::begin(*file, file->size(), std::span(&identity, 1));
  ASSERT_TRUE(reader);
  const auto chunk = [&](std::uint64_t number) {
    return std::string_view(*file).substr(reader->offset_of(number), kAgeStreamSealedChunk);
  };
  std::string out;
  EXPECT_FALSE(reader->open(0, chunk(1), out));
  std::string changed(chunk(2));
  changed[100] = static_cast<char>(changed[100] ^ 1);
  EXPECT_FALSE(reader->open(2, changed, out));
  EXPECT_TRUE(out.empty());
  // The same file cut at a chunk's end: what is its last chunk now was not sealed as such.
  const auto cut = AgeReader::begin(*file, reader->offset_of(3), std::span(&identity, 1));
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->open(2, chunk(2), out).error().fault(), Fault::corrupt);
  EXPECT_FALSE(AgeReader::begin(*file, reader->offset_of(3) + 16, std::span(&identity, 1)));
  EXPECT_FALSE(AgeReader::begin(*file, reader->preface_bytes() + 3, std::span(&identity, 1)));
  const auto other = AgeIdentity::generate(random);
  EXPECT_EQ(AgeReader::begin(*file, file->size(), std::span(&other, 1)).error().fault(), Fault::denied);
}

}  // namespace
}  // namespace enclave::crypto
