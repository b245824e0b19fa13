#include "pipeline/file_lines.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "pipeline/newlines.h"

namespace enclave::pipeline {
namespace {

// Fits the second level cache, so that the scan finds warm what the read brought.
constexpr std::size_t kPiece = 256 * 1024;
// Up to here the beginning of an unfinished line is simply read again; longer ones are scanned once.
constexpr std::size_t kLong = 64 * 1024;
constexpr std::size_t kStep = 4096;

}  // namespace

Result<void> LineReader::read(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass) {
  while (pass.bytes < bytes && !pass.at_end) {
    if (cursor.scanned - cursor.offset > kLong && !usual_) {
      TRY(read_other_long(cursor, bytes - pass.bytes, pass));
    } else if (cursor.scanned - cursor.offset > kLong) {
      TRY(read_long(cursor, bytes - pass.bytes, pass));
    } else {
      TRY(read_piece(cursor, bytes - pass.bytes, end, pass));
    }
    content_.release(cursor.offset);
  }
  return {};
}

Result<void> LineReader::read_piece(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass) {
  const std::size_t known = cursor.scanned - cursor.offset;
  std::size_t want = std::min<std::uint64_t>(std::max<std::uint64_t>(bytes, known + kStep), kPiece);
  // Small files must not take large pieces of memory; one byte more tells whether they have grown since.
  if (end > cursor.offset) want = std::min<std::uint64_t>(want, end - cursor.offset);
  want = std::max(want, known + 1);
  const auto piece = batch_.allocate(want);
  auto read = content_.read_at(cursor.offset, piece);
  if (!read || *read <= known) {
    batch_.shrink_last(want);
    pass.at_end = true;
    if (!read) return std::move(read).error();
    return {};
  }
  const std::size_t got = *read;
  const std::size_t first = batch_.events.size();
  const std::size_t consumed = usual_ ? cut_lines({piece.data(), got}, known, cursor.offset, pass)
                                      : cut_other_lines({piece.data(), got}, known, cursor.offset, pass);
  batch_.shrink_last(want - consumed);
  // Not before: the text of a line needs memory of its own.
  if (cut_.text != LineCut::Text::as_is) make_plain(first);
  pass.bytes += got - known;
  if (cursor.summed) cursor.sum = sampled_sum({piece.data(), consumed}, cursor.offset, cursor.sum);
  cursor.last = piece[got - 1];
  cursor.scanned = cursor.offset + got;
  cursor.offset += consumed;
  pass.at_end = got < want || cursor.scanned == end;
  return {};
}

// Gives the number of bytes up to behind the last newline.
std::size_t LineReader::cut_lines(std::string_view piece, std::size_t known, std::uint64_t offset, LinePass& pass) {
  std::array<std::uint16_t, kNewlineBlock> newlines;
  std::size_t begin = 0;
  for (std::size_t block = known; block < piece.size(); block += kNewlineBlock) {
    const std::size_t found = find_newlines(piece.substr(block, kNewlineBlock), newlines);
    for (std::size_t i = 0; i < found; ++i) {
      const std::size_t newline = block + newlines[i];
      add(piece.substr(begin, newline - begin), offset + begin, pass);
      begin = newline + 1;
    }
  }
  return begin;
}

void LineReader::add(std::string_view line, std::uint64_t offset, LinePass& pass) {
  event::Eol eol = event::Eol::lf;
  const bool ends_longer =
      usual_ ? !line.empty() && line.back() == '\r' : !cut_.before.empty() && line.ends_with(cut_.before);
  if (ends_longer) {
    line.remove_suffix(cut_.before.size());
    eol = event::Eol::crlf;
  }
  const std::size_t keep = std::min(line.size(), line_bytes_max_);
  add_event(line.substr(0, keep), line.size() - keep, offset, eol, pass);
}

void LineReader::add_event(std::string_view line, std::uint64_t cut_bytes, std::uint64_t offset, event::Eol eol,
                           LinePass& pass) {
  event::Event& event = batch_.events.emplace_back();
  event.raw = line;
  event.offset = offset;
  event.cut_bytes = cut_bytes;
  event.source = source_;
  event.eol = eol;
  ++pass.lines;
  pass.cut += cut_bytes > 0 ? 1 : 0;
}

Result<void> LineReader::read_long(LineCursor& cursor, std::uint64_t bytes, LinePass& pass) {
  const std::size_t want = std::min<std::uint64_t>(bytes, kPiece);
  const auto piece = batch_.allocate(want);
  auto read = content_.read_at(cursor.scanned, piece);
  batch_.shrink_last(want);
  if (!read || *read == 0) {
    pass.at_end = true;
    if (!read) return std::move(read).error();
    return {};
  }
  const std::size_t got = *read;
  const void* newline = std::memchr(piece.data(), '\n', got);
  if (newline == nullptr) {
    pass.bytes += got;
    cursor.last = piece[got - 1];
    cursor.scanned += got;
    return {};
  }
  const auto index = static_cast<std::size_t>(static_cast<const char*>(newline) - piece.data());
  pass.bytes += index + 1;
  const char before = index > 0 ? piece[index - 1] : cursor.last;
  const bool cr = before == '\r';
  return deliver(cursor, cursor.scanned + index - (cr ? 1 : 0), cr ? "\r\n" : "\n", pass);
}

Result<void> LineReader::read_rest(LineCursor& cursor, LinePass& pass) {
  if (cursor.scanned == cursor.offset) return {};
  return deliver(cursor, cursor.scanned, {}, pass);
}

// The line from `offset` to `end`, which is not in memory any more.
Result<void> LineReader::deliver(LineCursor& cursor, std::uint64_t end, std::string_view ending, LinePass& pass) {
  const std::uint64_t line_bytes = end - cursor.offset;
  const std::size_t take = std::min<std::uint64_t>(line_bytes, line_bytes_max_);
  const auto raw = batch_.allocate(take);
  auto read = content_.read_at(cursor.offset, raw);
  if (!read || *read < take) {
    batch_.shrink_last(take);
    pass.at_end = true;
    if (!read) return std::move(read).error();
    return Error{Fault::conflict, "the file became shorter while it was read"};
  }
  const std::string_view line(raw.data(), take);
  const std::uint64_t cut_bytes = line_bytes - take;
  if (cut_bytes > 0) {
    // Sampling what was left out would mean to read it once more.
    cursor.summed = false;
  } else if (cursor.summed) {
    cursor.sum = sampled_sum(line, cursor.offset, cursor.sum);
    cursor.sum = sampled_sum(ending, cursor.offset + take, cursor.sum);
  }
  const event::Eol eol = ending.empty()                    ? event::Eol::none
                         : ending.size() > cut_.end.size() ? event::Eol::crlf
                                                           : event::Eol::lf;
  add_event(line, cut_bytes, cursor.offset, eol, pass);
  if (cut_.text != LineCut::Text::as_is) make_plain(batch_.events.size() - 1);
  cursor.offset = cursor.scanned = end + ending.size();
  content_.release(cursor.offset);
  return {};
}

}  // namespace enclave::pipeline
