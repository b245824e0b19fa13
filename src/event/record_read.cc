#include <simdjson.h>

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
  kCut = 256
};

Result<unsigned> take_member(std::string_view key, value& from, Record& record) {
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
  for (auto field : object) {
    std::string_view key;
    value from;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(from) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "record: damaged JSON"};
    const std::string name(key);  // the view dies with the next string that is read
    const unsigned member = TRY(take_member(name, from, record));
    if ((seen & member) != 0) return Error{Fault::corrupt, "record: \"{}\" stands there twice", name};
    seen |= member;
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS)
    return Error{Fault::corrupt, "record: something follows the object"};
  constexpr unsigned kNeeded = kSeq | kTime | kBoot | kBootNs | kSource | kPosition | kRaw;
  if ((seen & kNeeded) != kNeeded) return Error{Fault::corrupt, "record: a member is missing"};
  record.fields += "}";
  return record;
}

}  // namespace enclave::event
