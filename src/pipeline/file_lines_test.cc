#include "pipeline/file_lines.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>

#include "pipeline/newlines.h"

namespace enclave::pipeline {
namespace {

class MemoryFile : public File {
 public:
  explicit MemoryFile(std::string content) : bytes(std::move(content)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes.size()) return 0;
    const std::size_t got = std::min<std::uint64_t>(into.size(), bytes.size() - offset);
    std::copy_n(bytes.data() + offset, got, into.data());
    read_bytes += got;
    return got;
  }
  Result<void> write_at(std::uint64_t, std::string_view) override { return Error{Fault::unsupported, "read only"}; }
  Result<void> sync() override { return {}; }
  Result<void> truncate(std::uint64_t) override { return Error{Fault::unsupported, "read only"}; }
  Result<FileInfo> info() override {
    FileInfo info;
    info.bytes = bytes.size();
    return info;
  }
  std::string bytes;
  std::uint64_t read_bytes = 0;
};

std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Line {
  std::string raw;
  std::uint64_t offset, cut;
  event::Eol eol;
  bool operator==(const Line&) const = default;
};

// The slow and obvious way.
std::vector<Line> expected_lines(const std::string& content, std::size_t max) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto newline = content.find('\n', begin);
    std::string text = content.substr(begin, newline == content.npos ? content.npos : newline - begin);
    event::Eol eol = newline == content.npos ? event::Eol::none : event::Eol::lf;
    if (eol == event::Eol::lf && text.ends_with('\r')) {
      text.pop_back();
      eol = event::Eol::crlf;
    }
    const std::uint64_t cut = text.size() > max ? text.size() - max : 0;
    lines.push_back({text.substr(0, max), begin, cut, eol});
    begin = newline == content.npos ? content.size() : newline + 1;
  }
  return lines;
}

std::string random_content(std::mt19937& random) {
  std::string content;
  const auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
  for (unsigned i = pick(60); i > 0; --i) {
    const unsigned kind = pick(12);
    const std::size_t bytes = kind == 0 ? pick(400'000) : kind < 3 ? pick(5000) : pick(100);
    for (std::size_t k = 0; k < bytes; ++k) content += static_cast<char>(pick(256) | (pick(100) != 0 ? 0x20 : 0));
    content += pick(4) == 0 ? "\r\n" : "\n";
  }
  if (pick(2) == 0) content += "no end\r";
  return content;
}

class Lines : public ::testing::TestWithParam<bool> {};

TEST_P(Lines, AreThoseOfTheContentHoweverItGrowsAndIsRead) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
    const std::string content = random_content(random);
    const std::size_t max = pick(2) == 0 ? 1 + pick(200'000) : 10 << 20;
    MemoryFile file(GetParam() ? gzipped(content) : "");
    PlainContent plain(file);
    GzipContent unpacked(file, max + (64 << 10));
    Content& reading = GetParam() ? static_cast<Content&>(unpacked) : plain;
    LineCursor cursor;
    event::Batch batch;
    std::vector<Line> lines;
    for (int i = 0; i < 100'000 && cursor.scanned < content.size(); ++i) {
      if (!GetParam())
        file.bytes = content.substr(0, std::min<std::size_t>(content.size(), file.bytes.size() + pick(90'000)));
      LinePass pass;
      LineReader reader(reading, max, batch, 0);
      ASSERT_TRUE(reader.read(cursor, 1 + pick(100'000), pick(2) == 0 ? file.bytes.size() * !GetParam() : 0, pass));
    }
    LinePass pass;
    LineReader reader(reading, max, batch, 0);
    ASSERT_TRUE(reader.read_rest(cursor, pass));
    for (const auto& event : batch.events)
      lines.push_back({std::string(event.raw), event.offset, event.cut_bytes, event.eol});
    EXPECT_TRUE(lines == expected_lines(content, max));
    EXPECT_EQ(cursor.offset, content.size());
    if (cursor.summed) {
      EXPECT_EQ(cursor.sum, sampled_sum(content, 0, 0));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfFiles, Lines, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Packed" : "Plain"; });

TEST(LineReader, DoesNotReadTheBeginningOfALongLineAgainForEveryBitOfItsEnd) {
  MemoryFile file(std::string(1 << 20, 'x'));
  PlainContent content(file);
  LineCursor cursor;
  event::Batch batch;
  for (int i = 0; i < 1000; ++i) {
    file.bytes += "some more of the line";
    LinePass pass;
    ASSERT_TRUE(LineReader(content, 10 << 20, batch, 0).read(cursor, 1 << 20, file.bytes.size(), pass));
  }
  EXPECT_LT(file.read_bytes, 3U << 20);
  EXPECT_LT(batch.bytes(), 1U << 20);
}

TEST(LineReader, TakesItsMemoryFromTheBatchWithoutWasteForSmallReads) {
  event::Batch batch;
  for (int i = 0; i < 500; ++i) {
    MemoryFile file("a short line\nhalf");
    PlainContent content(file);
    LineCursor cursor;
    LinePass pass;
    ASSERT_TRUE(LineReader(content, 10 << 20, batch, 0).read(cursor, 1 << 20, file.bytes.size(), pass));
  }
  EXPECT_EQ(batch.events.size(), 500U);
  EXPECT_LE(batch.bytes(), (64U << 10) + 500 * sizeof(event::Event));
}

std::string utf16(const std::u16string& text, bool little) {
  std::string out;
  for (const char16_t c : text) {
    const char low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8);
    out += little ? low : high;
    out += little ? high : low;
  }
  return out;
}

std::u16string random_utf16(std::mt19937& random) {
  const auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
  // Bytes that look like line ends where they are none.
  const std::u16string_view units = u"a\u0a0a\u0a00\u000d\u0d0a\u00e9\u20ac\u0a0d";
  std::u16string text;
  for (unsigned i = pick(50); i > 0; --i) {
    const std::size_t length = pick(12) == 0 ? pick(150'000) : pick(60);
    for (std::size_t k = 0; k < length; ++k) text += units[pick(static_cast<unsigned>(units.size()))];
    if (pick(5) == 0) text += u"\U0001F600";
    text += pick(3) == 0 ? u"\r\n" : u"\n";
  }
  if (pick(2) == 0) text += u"no end";
  return text;
}

std::string utf8(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] >= 0xD800 && text[i] < 0xDC00) {
      out += "\xF0\x9F\x98\x80";
      ++i;
    } else if (text[i] < 0x80) {
      out += static_cast<char>(text[i]);
    } else if (text[i] < 0x800) {
      out += {static_cast<char>(0xC0 | text[i] >> 6), static_cast<char>(0x80 | (text[i] & 0x3F))};
    } else {
      out += {static_cast<char>(0xE0 | text[i] >> 12), static_cast<char>(0x80 | (text[i] >> 6 & 0x3F)),
              static_cast<char>(0x80 | (text[i] & 0x3F))};
    }
  }
  return out;
}

// The slow and obvious way.
std::vector<Line> expected_utf16(const std::u16string& text) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto newline = text.find(u'\n', begin);
    std::u16string line = text.substr(begin, newline == text.npos ? text.npos : newline - begin);
    event::Eol eol = newline == text.npos ? event::Eol::none : event::Eol::lf;
    if (eol == event::Eol::lf && line.ends_with(u'\r')) {
      line.pop_back();
      eol = event::Eol::crlf;
    }
    lines.push_back({utf8(line), 2 * begin, 0, eol});
    begin = newline == text.npos ? text.size() : newline + 1;
  }
  return lines;
}

TEST_P(Lines, OfUtf16AreCutAtItsOwnLineEndsAndGivenInUtf8) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
    const std::u16string text = random_utf16(random);
    const bool little = pick(2) == 0;
    const LineCut cut = LineCut::utf16(little);
    const std::string content = utf16(text, little);
    MemoryFile file(GetParam() ? gzipped(content) : "");
    PlainContent plain(file);
    GzipContent unpacked(file, 11 << 20);
    Content& reading = GetParam() ? static_cast<Content&>(unpacked) : plain;
    LineCursor cursor;
    event::Batch batch;
    for (int i = 0; i < 100'000 && cursor.scanned < content.size(); ++i) {
      if (!GetParam())
        file.bytes = content.substr(0, std::min<std::size_t>(content.size(), file.bytes.size() + pick(90'000)));
      LinePass pass;
      LineReader reader(reading, 10 << 20, batch, 0, cut);
      ASSERT_TRUE(reader.read(cursor, 1 + pick(100'000), pick(2) == 0 ? file.bytes.size() * !GetParam() : 0, pass));
      // As after a restart.
      if (pick(3) == 0) cursor.scanned = cursor.offset;
    }
    LinePass pass;
    ASSERT_TRUE(LineReader(reading, 10 << 20, batch, 0, cut).read_rest(cursor, pass));
    std::vector<Line> lines;
    for (const auto& event : batch.events)
      lines.push_back({std::string(event.raw), event.offset, event.cut_bytes, event.eol});
    EXPECT_TRUE(lines == expected_utf16(text));
    EXPECT_EQ(cursor.offset, content.size());
    EXPECT_EQ(cursor.sum, sampled_sum(content, 0, 0));
  }
}

std::vector<std::string> lines_by(const LineCut& cut, const std::string& content) {
  MemoryFile file(content);
  PlainContent plain(file);
  LineCursor cursor;
  event::Batch batch;
  LinePass pass;
  LineReader reader(plain, 1 << 20, batch, 0, cut);
  EXPECT_TRUE(reader.read(cursor, 1 << 20, content.size(), pass));
  EXPECT_TRUE(reader.read_rest(cursor, pass));
  std::vector<std::string> lines;
  for (const auto& event : batch.events) lines.emplace_back(event.raw);
  return lines;
}

TEST(LineReader, EndsLinesWhereItIsToldTo) {
  using V = std::vector<std::string>;
  EXPECT_EQ(lines_by({"\r", "", LineCut::Text::as_is}, "a\rb\nc\r"), (V{"a", "b\nc"}));
  EXPECT_EQ(lines_by({"\r\n", "", LineCut::Text::as_is}, "a\nb\r\nc\r\n"), (V{"a\nb", "c"}));
  EXPECT_EQ(lines_by({std::string(1, '\0'), "", LineCut::Text::as_is}, std::string("a\0b", 3)), (V{"a", "b"}));
  EXPECT_EQ(lines_by(LineCut::utf16(true, "\u2028"), utf16(u"a\nb\u2028c", true)), (V{"a\nb", "c"}));
}

TEST(LineReader, Utf16ThatIsNoneIsReplacedAndTheMarkAtTheFrontIsNoText) {
  using V = std::vector<std::string>;
  const std::u16string broken = {0xFEFF, u'a', 0xD83D, u'b', 0xDE00, u'\n', 0xFEFF};
  for (const bool little : {true, false})
    EXPECT_EQ(lines_by(LineCut::utf16(little), utf16(broken, little) + "x"), (V{"a\xEF\xBF\xBD"
                                                                                "b\xEF\xBF\xBD",
                                                                                "\xEF\xBB\xBF\xEF\xBF\xBD"}));
}

TEST(GzipContent, ReadsBackwardsAndForwards) {
  std::mt19937 random(5);
  std::string content(1 << 20, '\0');
  for (auto& c : content) c = static_cast<char>(random() % 7);
  MemoryFile file(gzipped(content));
  GzipContent unpacked(file, 100'000);
  for (int i = 0; i < 60; ++i) {
    const std::size_t at = random() % content.size();
    if (i % 5 == 0) unpacked.release(at);
    std::string piece(random() % 200'000, '\0');
    const std::size_t got = *unpacked.read_at(at, piece);
    EXPECT_EQ(piece.substr(0, got), content.substr(at, piece.size()));
  }
}

TEST(GzipContent, TellsDamageFromAnEndThatIsStillToCome) {
  const std::string packed = gzipped("some content that is packed\n");
  std::string into(1000, '\0');
  for (std::size_t bytes = 0; bytes < packed.size(); ++bytes) {
    MemoryFile file(packed.substr(0, bytes));
    GzipContent unpacked(file, 1000);
    EXPECT_TRUE(unpacked.read_at(0, into)) << bytes;
    EXPECT_FALSE(unpacked.whole()) << bytes;
    file.bytes = packed;
    EXPECT_EQ(unpacked.read_at(0, into).value_or(0), 28U) << bytes;
    EXPECT_TRUE(unpacked.whole());
  }
  MemoryFile file(packed + "garbage");
  GzipContent unpacked(file, 1000);
  EXPECT_EQ(unpacked.read_at(0, into).value_or(0), 28U);
  EXPECT_EQ(unpacked.read_at(28, into).error().fault(), Fault::corrupt);
}

TEST(Newlines, AreFoundAlikeByEveryMethod) {
  std::mt19937 random(9);
  std::vector<std::uint16_t> one(kNewlineBlock), two(kNewlineBlock);
  for (int i = 0; i < 300; ++i) {
    std::string block(random() % (i < 100 ? 200 : kNewlineBlock + 1), 'x');
    const unsigned often = 1 + static_cast<unsigned>(random() % 100);
    for (auto& c : block)
      if (random() % often == 0) c = '\n';
    const std::span<std::uint16_t, kNewlineBlock> first(one), second(two);
    const std::size_t found = find_newlines(block, first);
    ASSERT_EQ(found, find_newlines_portable(block, second));
    ASSERT_EQ(found, static_cast<std::size_t>(std::count(block.begin(), block.end(), '\n')));
    for (std::size_t k = 0; k < found; ++k) ASSERT_EQ(one[k], two[k]);
  }
}

TEST(SampledSum, DoesNotDependOnThePieces) {
  std::string content(50'000, '\0');
  std::mt19937 random(3);
  for (auto& c : content) c = static_cast<char>(random());
  const auto whole = sampled_sum(content, 0, 0);
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t bytes = std::min<std::size_t>(random() % 3000, content.size() - at);
    sum = sampled_sum(std::string_view(content).substr(at, bytes), at, sum);
    at += bytes;
  }
  EXPECT_EQ(sum, whole);
}

}  // namespace
}  // namespace enclave::pipeline
