#include <cstring>

#include "pipeline/file_lines.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr char32_t kReplacement = 0xFFFD, kByteOrderMark = 0xFEFF;

/// Appends UTF-8 at `to`, which has room for four bytes.
char* put(char32_t c, char* to) {
  const auto byte = [&](char32_t value) { *to++ = static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
  return to;
}

std::string utf16_of(std::string_view ascii, bool little_endian) {
  std::string out;
  for (const char c : ascii) {
    if (!little_endian) out += '\0';
    out += c;
    if (little_endian) out += '\0';
  }
  return out;
}

}  // namespace

const LineCut LineReader::kUsual;

LineCut LineCut::utf16(bool little_endian, std::string_view end_only) {
  LineCut cut;
  cut.text = little_endian ? Text::utf16le : Text::utf16be;
  if (end_only.empty()) {
    cut.end = utf16_of("\n", little_endian);
    cut.before = utf16_of("\r", little_endian);
    return cut;
  }
  cut.end.clear();
  cut.before.clear();
  for (std::size_t i = 0; i < end_only.size(); ++i) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(end_only[at]); };
    char32_t c = byte(i);
    if (c >= 0xE0 && i + 2 < end_only.size()) {
      c = (c & 0x0F) << 12 | (byte(i + 1) & 0x3FU) << 6 | (byte(i + 2) & 0x3FU);
      i += 2;
    } else if (c >= 0xC0 && i + 1 < end_only.size()) {
      c = (c & 0x1F) << 6 | (byte(i + 1) & 0x3FU);
      ++i;
    }
    const char low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8 & 0xFF);
    cut.end += little_endian ? low : high;
    cut.end += little_endian ? high : low;
  }
  return cut;
}

/// The text of a line of UTF-16 in UTF-8. The mark at the front of a file is none of it.
std::string_view LineReader::plain_text(std::string_view line, std::uint64_t offset) {
  const bool little = cut_.text == LineCut::Text::utf16le;
  const std::size_t units = line.size() / 2;
  const auto unit = [&](std::size_t i) -> char32_t {
    const auto first = static_cast<unsigned char>(line[2 * i]), second = static_cast<unsigned char>(line[2 * i + 1]);
    return little ? first | second << 8 : first << 8 | second;
  };
  const std::size_t room = units * 3 + 3;
  const auto out = batch_.allocate(room);
  char* to = out.data();
  for (std::size_t i = offset == 0 && units > 0 && unit(0) == kByteOrderMark ? 1 : 0; i < units; ++i) {
    char32_t c = unit(i);
    if (c >= 0xD800 && c < 0xE000) {
      const bool pair = c < 0xDC00 && i + 1 < units && unit(i + 1) >= 0xDC00 && unit(i + 1) < 0xE000;
      c = pair ? 0x10000 + ((c - 0xD800) << 10) + (unit(i + 1) - 0xDC00) : kReplacement;
      if (pair) ++i;
    }
    to = put(c, to);
  }
  // Half a character at the end of the file.
  if (line.size() % 2 != 0) to = put(kReplacement, to);
  const auto bytes = static_cast<std::size_t>(to - out.data());
  batch_.shrink_last(room - bytes);
  return {out.data(), bytes};
}

void LineReader::make_plain(std::size_t first) {
  for (std::size_t i = first; i < batch_.events.size(); ++i)
    batch_.events[i].raw = plain_text(batch_.events[i].raw, batch_.events[i].offset);
}

/// Where the next end stands whole at a place where it may stand; npos for nowhere.
std::size_t LineReader::find_end(std::string_view piece, std::size_t from, std::uint64_t offset) const {
  for (;;) {
    const std::size_t at = piece.find(cut_.end, from);
    if (at == std::string_view::npos || (offset + at) % cut_.unit() == 0) return at;
    from = at + 1;
  }
}

std::size_t LineReader::cut_other_lines(std::string_view piece, std::size_t known, std::uint64_t offset,
                                        LinePass& pass) {
  // The front of an end may be what was known last.
  std::size_t begin = 0, from = known - std::min(known, cut_.end.size() - 1);
  for (;;) {
    const std::size_t at = find_end(piece, from, offset);
    if (at == std::string_view::npos) return begin;
    add(piece.substr(begin, at - begin), offset + begin, pass);
    begin = from = at + cut_.end.size();
  }
}

Result<void> LineReader::read_other_long(LineCursor& cursor, std::uint64_t bytes, LinePass& pass) {
  const std::size_t again = cut_.end.size() - 1;
  const std::uint64_t from = cursor.scanned - again;
  const std::size_t want = std::min<std::uint64_t>(std::max<std::uint64_t>(bytes, 1), kPiece) + again;
  const auto piece = batch_.allocate(want);
  auto read = content_.read_at(from, piece);
  batch_.shrink_last(want);
  if (!read || *read <= again) {
    pass.at_end = true;
    if (!read) return std::move(read).error();
    return {};
  }
  const std::size_t index = find_end({piece.data(), *read}, 0, from);
  if (index == std::string_view::npos) {
    pass.bytes += *read - again;
    cursor.scanned = from + *read;
    return {};
  }
  pass.bytes += index + cut_.end.size();
  std::string ending = cut_.end;
  const std::uint64_t end = from + index;
  char before[8] = {};
  const std::span<char> room(before, cut_.before.size());
  if (!room.empty() && TRY(content_.read_at(end - room.size(), room)) == room.size() &&
      std::string_view(room.data(), room.size()) == cut_.before)
    ending.insert(0, cut_.before);
  return deliver(cursor, end + cut_.end.size() - ending.size(), ending, pass);
}

}  // namespace enclave::pipeline
