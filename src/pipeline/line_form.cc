#include "pipeline/line_form.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "event/copy_plain.h"
#include "event/record.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kGrowBy = 64 << 10;
constexpr std::size_t kDigits = 20;

}  // namespace

LineMarks LineMarks::make(Random& random) {
  std::array<std::uint8_t, 40> chance;
  random.fill(chance);
  LineMarks marks;
  for (std::size_t i = 0; i < 32; ++i) marks.line += static_cast<char>('a' + chance[i] % 26);
  std::uint64_t number = 0;
  std::memcpy(&number, chance.data() + 32, sizeof number);
  constexpr std::uint64_t kOf19Digits = 1'000'000'000'000'000'000;
  marks.offset = static_cast<std::int64_t>(kOf19Digits + number % (8 * kOf19Digits));
  return marks;
}

std::optional<LineForm> LineForm::make(Codec& codec, const AlikeEvents& alike, FilterRun& run) {
  const Codec::Written written = codec.written();
  if (written == Codec::Written::otherwise) return std::nullopt;
  std::string text;
  codec.encode(alike.like, run, text);
  if (written == Codec::Written::json) return cut(text, alike.marks);
  LineForm form;
  if (!form.cut_at_marks(text, alike.marks)) return std::nullopt;
  return form;
}

std::optional<LineForm> LineForm::cut(std::string_view json, const LineMarks& marks) {
  LineForm form;
  form.json_ = true;
  if (!form.cut_at_marks(json, marks)) return std::nullopt;
  return form;
}

bool LineForm::cut_at_marks(std::string_view text, const LineMarks& marks) {
  const std::string offset = std::to_string(marks.offset);
  for (;;) {
    const std::size_t line = text.find(marks.line), number = text.find(offset);
    const std::size_t at = std::min(line, number);
    Piece& piece = pieces_.emplace_back(Piece{std::string(text.substr(0, at)), Gap::none});
    fixed_bytes_ += piece.text.size();
    if (at == std::string_view::npos) return true;
    piece.after = at == line ? Gap::line : Gap::offset;
    ++gaps_;
    text.remove_prefix(at + (at == line ? marks.line.size() : offset.size()));
  }
}

std::size_t LineForm::room_for(const event::Event& event) const {
  return fixed_bytes_ + gaps_ * (event.raw.size() * 2 + kDigits) + event::kCopyOverrun;
}

char* LineForm::write(const event::Event& event, char* to) const {
  const char* line = nullptr;
  std::size_t line_bytes = 0;
  for (const Piece& piece : pieces_) {
    std::memcpy(to, piece.text.data(), piece.text.size());
    to += piece.text.size();
    if (piece.after == Gap::offset) {
      to = std::to_chars(to, to + kDigits, event.offset).ptr;
    } else if (piece.after == Gap::line && line != nullptr) {
      // "message" and "event.original" are the same text.
      std::memcpy(to, line, line_bytes);
      to += line_bytes;
    } else if (piece.after == Gap::line) {
      line = to;
      if (json_) {
        to = event::copy_escaping_quotes(event.raw, to);
        if (to == nullptr) return nullptr;
      } else {
        std::memcpy(to, event.raw.data(), event.raw.size());
        to += event.raw.size();
      }
      line_bytes = static_cast<std::size_t>(to - line);
    }
  }
  return to;
}

void LineForm::append_slowly(const event::Event& event, std::string& out) const {
  for (const Piece& piece : pieces_) {
    out += piece.text;
    if (piece.after == Gap::offset) {
      out += std::to_string(event.offset);
    } else if (piece.after == Gap::line && !event::try_append_json_escaped(out, event.raw)) {
      const std::string mended = event::json_text(event.raw);
      out.append(mended, 1, mended.size() - 2);
    }
  }
}

void LineForm::append(std::span<const event::Event> events, std::string& out, std::vector<std::size_t>* ends) const {
  std::size_t used = out.size();
  for (const event::Event& event : events) {
    const std::size_t most = room_for(event);
    if (out.size() - used < most) out.resize(used + most + (events.size() > 1 ? kGrowBy : 0));
    if (char* const end = write(event, out.data() + used)) {
      used = static_cast<std::size_t>(end - out.data());
    } else {
      out.resize(used);
      append_slowly(event, out);
      used = out.size();
    }
    if (ends != nullptr) ends->push_back(used);
  }
  out.resize(used);
}

}  // namespace enclave::pipeline
