#include <simdjson.h>

#include <charconv>

#include "base/encoding.h"
#include "base/time.h"
#include "event/record.h"

namespace enclave::event {
namespace {

using simdjson::ondemand::value;

Error wrong(std::string_view member, std::string_view wanted) {
  return Error{Fault::corrupt, "record: \"{}\" is not {}", member, wanted};
}

Result<std::string> text_of(value& from, std::string_view member) {
  std::string_view text;
  if (from.get_string().get(text) != simdjson::SUCCESS) return wrong(member, "a text");
  return std::string(text);
}

Result<std::uint64_t> number_of(value& from, std::string_view member) {
  std::uint64_t number = 0;
  if (from.get_uint64().get(number) != simdjson::SUCCESS) return wrong(member, "a number");
  return number;
}

Result<std::string> json_of(value& from, std::string_view member) {
  std::string_view json;
  if (simdjson::to_json_string(from).get(json) != simdjson::SUCCESS) return wrong(member, "JSON");
  return std::string(json);
}

Result<void> take_position(value& from, Record& record) {
  simdjson::ondemand::json_type type;
  if (from.type().get(type) != simdjson::SUCCESS) return wrong("pos", "a number or a text");
  if (type == simdjson::ondemand::json_type::number) {
    record.position = std::to_string(TRY(number_of(from, "pos")));
  } else {
    record.position = TRY(text_of(from, "pos"));
  }
  return {};
}

/// One bit per member that must or may be there once.
enum Seen : unsigned {
  kSeq = 1,
  kTime = 2,
  kBoot = 4,
  kBootNs = 8,
  kSource = 16,
  kPosition = 32,
  kRaw = 64,
  kEol = 128,
  kCut = 256,
  kAs = 512
};
constexpr unsigned kShared = kTime | kBoot | kBootNs | kSource;
constexpr std::string_view kSeqHead = R"({"seq":)", kAsHead = R"(,"as":)", kPosHead = R"(,"pos":)";

/// Decimal digits at the front; none, and numbers beyond 64 bits, are no number.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_text(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

Result<unsigned> take_member(std::string_view key, value& from, Record& record, std::uint64_t& as) {
  if (key == "as") {
    as = TRY(number_of(from, key));
    return kAs;
  }
  if (key == "seq") {
    record.seq = TRY(number_of(from, key));
    return kSeq;
  }
  if (key == "time") {
    record.wall_ns = TRY(parse_time(TRY(text_of(from, key))));
    return kTime;
  }
  if (key == "boot") {
    record.boot_id = TRY(text_of(from, key));
    return kBoot;
  }
  if (key == "boot_ns") {
    record.boot_ns = static_cast<std::int64_t>(TRY(number_of(from, key)));
    return kBootNs;
  }
  if (key == "src") {
    record.source = TRY(text_of(from, key));
    return kSource;
  }
  if (key == "pos") {
    TRY(take_position(from, record));
    return kPosition;
  }
  if (key == "raw") {
    record.raw = TRY(text_of(from, key));
    return kRaw;
  }
  if (key == "raw_b64") {
    record.raw = TRY(from_base64(TRY(text_of(from, key))));
    return kRaw;
  }
  if (key == "eol") {
    record.eol = TRY(text_of(from, key));
    return kEol;
  }
  if (key == "cut") {
    record.cut_bytes = TRY(number_of(from, key));
    return kCut;
  }
  if (record.fields.size() > 1) record.fields += ",";
  record.fields += json_text(key) + ":" + TRY(json_of(from, key));
  return 0U;
}

}  // namespace

struct RecordReader::State {
  simdjson::ondemand::parser parser;
  simdjson::padded_string padded;
  std::optional<std::uint64_t> full_seq;  ///< of the latest full record
  std::int64_t wall_ns = 0, boot_ns = 0;
  std::string boot_id, source;

  void remember(const Record& record) {
    full_seq = record.seq;
    wall_ns = record.wall_ns;
    boot_ns = record.boot_ns;
    boot_id = record.boot_id;
    source = record.source;
  }
  Result<void> complete(Record& record, std::uint64_t as) const {
    if (as != full_seq || as >= record.seq)
      return Error{Fault::corrupt, "record: it names record {}, which is not the latest full one before it", as};
    record.wall_ns = wall_ns;
    record.boot_ns = boot_ns;
    record.boot_id = boot_id;
    record.source = source;
    return {};
  }
};

RecordReader::RecordReader() : state_(std::make_unique<State>()) {}
RecordReader::~RecordReader() = default;

Result<Record> RecordReader::read(std::string_view line) {
  constexpr std::size_t kLineBytesMax = 512 * 1024 * 1024;  // ten times what an input may put into one line, escaped
  if (line.size() > kLineBytesMax) return Error{Fault::limit, "record of {} bytes", line.size()};
  state_->padded = simdjson::padded_string(line);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (state_->parser.iterate(state_->padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS)
    return Error{Fault::corrupt, "record: not a JSON object"};
  Record record;
  record.eol = "\n";
  record.fields = "{";
  unsigned seen = 0;
  std::uint64_t as = 0;
  for (auto field : object) {
    std::string_view key;
    value from;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(from) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "record: damaged JSON"};
    const std::string name(key);  // the view dies with the next string that is read
    const unsigned member = TRY(take_member(name, from, record, as));
    if ((seen & member) != 0) return Error{Fault::corrupt, "record: \"{}\" stands there twice", name};
    seen |= member;
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS)
    return Error{Fault::corrupt, "record: something follows the object"};
  constexpr unsigned kNeeded = kSeq | kPosition | kRaw;
  const bool is_short = (seen & kAs) != 0;
  if ((seen & kNeeded) != kNeeded || (!is_short && (seen & kShared) != kShared))
    return Error{Fault::corrupt, "record: a member is missing"};
  if (is_short && (seen & kShared) != 0)
    return Error{Fault::corrupt, "record: it has \"as\", and a member that the record named there tells"};
  if (is_short) {
    TRY(state_->complete(record, as));
  } else {
    state_->remember(record);
  }
  record.fields += "}";
  return record;
}

std::optional<std::uint64_t> context_seq(std::string_view line) {
  if (!take_text(line, kSeqHead) || !take_digits(line) || !take_text(line, kAsHead)) return std::nullopt;
  return take_digits(line);
}

std::string expanded(std::string_view line, std::string_view full) {
  std::string_view rest = line, shared = full;
  if (!take_text(rest, kSeqHead) || !take_digits(rest)) return std::string(line);
  const std::size_t head = line.size() - rest.size();
  if (!take_text(rest, kAsHead) || !take_digits(rest)) return std::string(line);
  if (!take_text(shared, kSeqHead) || !take_digits(shared)) return std::string(line);
  // No text of a full record before its position holds this: quotes within JSON strings are escaped.
  shared = shared.substr(0, shared.find(kPosHead));
  std::string whole(line.substr(0, head));
  whole += shared;
  whole += rest;
  return whole;
}

}  // namespace enclave::event
