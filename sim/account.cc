#include "sim/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace enclave::sim {
namespace {
constexpr std::size_t kWrongMax = 10;
constexpr std::size_t kMarkDigits = 6;

std::string mark_of(std::size_t index) { return fmt::format("<{:06}>", index); }

std::string shown(std::string_view bytes) {
  const bool plain = is_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
  return plain ? fmt::format("\"{}\"", bytes.substr(0, 40)) : "hex " + to_hex(bytes.substr(0, 20));
}
}  // namespace

std::string Account::begin(const std::string& path) {
  open_[path] = texts_.size();
  texts_.push_back({path, "", false});
  return mark_of(texts_.size() - 1);
}

void Account::append(const std::string& path, std::string_view bytes) {
  texts_[open_.at(path)].bytes += bytes;
  bytes_ += bytes.size();
}

void Account::rename(const std::string& from, const std::string& to) {
  const std::size_t text = open_.at(from);
  open_.erase(from);
  open_[to] = text;
}

void Account::end(const std::string& path, bool may_lose) {
  Text& text = texts_[open_.at(path)];
  text.may_lose = text.may_lose || may_lose;
  open_.erase(path);
}

std::vector<std::string> Account::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, text] : open_) paths.push_back(path);
  return paths;
}

const Account::Text* Account::find_mark(std::string_view bytes, std::size_t& index) const {
  if (bytes.size() < kMarkDigits + 2 || bytes[0] != '<') return nullptr;
  index = 0;
  for (const char digit : bytes.substr(1, kMarkDigits)) {
    if (digit < '0' || digit > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(digit - '0');
  }
  return index < texts_.size() ? &texts_[index] : nullptr;
}

void Account::check_record(const event::Record& record, std::map<std::string, Reading>& readings,
                           std::vector<std::uint64_t>& read, std::vector<std::string>& wrong) const {
  const std::string what = fmt::format("record {} of {} at {}", record.seq, record.source, record.position);
  const auto position = parse_number(record.position);
  if (!position) {
    wrong.push_back(what + ": its position is no number");
    return;
  }
  Reading& reading = readings[record.source];
  if (*position == 0) {
    std::size_t index = 0;
    if (find_mark(record.raw, index) == nullptr) {
      wrong.push_back(fmt::format("{}: is the beginning of no text: {}", what, shown(record.raw)));
      return;
    }
    if (read[index] > 0) wrong.push_back(fmt::format("{}: text {} is read a second time", what, index));
    reading = {index, 0};
  }
  const Text& text = texts_[reading.text];
  if (*position != reading.offset)
    wrong.push_back(fmt::format("{}: text {} was read up to {}", what, reading.text, reading.offset));
  const std::string_view bytes = text.bytes;
  const std::uint64_t end = *position + record.raw.size() + record.cut_bytes + record.eol.size();
  if (end > bytes.size()) {
    wrong.push_back(fmt::format("{}: ends at {}, text {} at {}", what, end, reading.text, bytes.size()));
  } else if (bytes.substr(*position, record.raw.size()) != record.raw) {
    wrong.push_back(
        fmt::format("{}: holds {}, written was {}", what, shown(record.raw), shown(bytes.substr(*position))));
  } else if (!bytes.substr(0, end).ends_with(record.eol)) {
    wrong.push_back(what + ": ended another way");
  }
  reading.offset = end;
  read[reading.text] = std::max(read[reading.text], end);
}

std::vector<std::string> Account::check(const std::vector<event::Record>& records) const {
  std::vector<std::string> wrong;
  std::map<std::string, Reading> readings;
  std::vector<std::uint64_t> read(texts_.size(), 0);
  std::uint64_t seq = 0;
  for (const auto& record : records) {
    if (wrong.size() >= kWrongMax) return wrong;
    if (record.seq != seq + 1) wrong.push_back(fmt::format("record {} follows record {}", record.seq, seq));
    seq = record.seq;
    check_record(record, readings, read, wrong);
  }
  for (std::size_t i = 0; i < texts_.size() && wrong.size() < kWrongMax; ++i)
    if (read[i] < texts_[i].bytes.size() && !texts_[i].may_lose)
      wrong.push_back(fmt::format("text {} of {}: {} of {} bytes are in the archive", i, texts_[i].path, read[i],
                                  texts_[i].bytes.size()));
  return wrong;
}

}  // namespace enclave::sim
