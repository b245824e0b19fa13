#include "event/copy_plain.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>

namespace enclave::event {
namespace {

std::size_t plain_bytes(std::string_view text, bool high_is_fine) {
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == '\\' || (byte > 0x7f && !high_is_fine)) break;
    ++count;
  }
  return count;
}

// In memory of exactly the promised size, so that the address sanitizer sees one byte too many.
void expect_copied(std::string_view text) {
  const auto from = std::make_unique<char[]>(text.size());
  text.copy(from.get(), text.size());
  for (const bool high_is_fine : {false, true})
    for (std::size_t way = 0; way < all_copy_plain().size(); ++way) {
      const auto to = std::make_unique<char[]>(text.size() + kCopyOverrun);
      const std::size_t copied = all_copy_plain()[way]({from.get(), text.size()}, to.get(), high_is_fine);
      ASSERT_EQ(copied, plain_bytes(text, high_is_fine)) << "way " << way << ", " << text.size() << " bytes";
      ASSERT_EQ(std::string_view(to.get(), copied), text.substr(0, copied)) << "way " << way;
      if (text.size() >= 16) continue;
      ASSERT_EQ(copy_plain_short({from.get(), text.size()}, to.get(), high_is_fine), copied) << text.size() << " bytes";
      ASSERT_EQ(std::string_view(to.get(), copied), text.substr(0, copied));
    }
}

TEST(CopyPlain, StopsAtEveryByteThatCannotStandInAJsonString) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (const std::size_t at : {0, 1, 15, 16, 17, 63, 64, 69}) {
      std::string text(70, 'x');
      text[at] = static_cast<char>(byte);
      expect_copied(text);
    }
}

TEST(CopyPlain, StopsAtTheFirstInTextsOfAnyLength) {
  for (std::size_t size = 0; size < 200; ++size) {
    expect_copied(std::string(size, 'a'));
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, '~');
      text[at] = '"';
      text[size - 1 - at / 2] = '\n';
      expect_copied(text);
    }
  }
}

TEST(CopyPlain, ShortTextsAgreeForEveryByteAtEveryPlace) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::size_t size = 1; size < 16; ++size)
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        expect_copied(text);
      }
}

TEST(CopyEscapingQuotes, EscapesThemAndLeavesWhatElseIsNotPlainToOthers) {
  const auto escaped = [](std::string_view text) -> std::optional<std::string> {
    std::string to(text.size() * 2 + kCopyOverrun, '?');
    char* const end = copy_escaping_quotes(text, to.data());
    if (end == nullptr) return std::nullopt;
    return to.substr(0, static_cast<std::size_t>(end - to.data()));
  };
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(escaped(std::string(300, '"')), [] {
    std::string all;
    for (int i = 0; i < 300; ++i) all += R"(\")";
    return all;
  }());
  EXPECT_EQ(escaped("a\nb"), std::nullopt);
  EXPECT_EQ(escaped("\xc3\xa4"), std::nullopt);
}

TEST(CopyPlain, AgreesForAnyBytes) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text(random() % 400, ' ');
    for (char& c : text) c = static_cast<char>(random() % 50 == 0 ? random() : 'a' + random() % 26);
    expect_copied(text);
  }
}

}  // namespace
}  // namespace enclave::event
