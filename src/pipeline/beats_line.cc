#include "pipeline/beats_line.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace enclave::pipeline {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::SUCCESS;

constexpr std::size_t kFixedMax = 4096;

/// Between its quotes; empty when it is no text.
std::string_view text_of(ondemand::value& value) {
  const std::string_view token = value.raw_json_token();
  const std::size_t last = token.rfind('"');
  if (token.empty() || token[0] != '"' || last == 0 || last == std::string_view::npos) return {};
  return token.substr(1, last - 1);
}

/// Digits only, as Beats write it.
bool read_offset(ondemand::value& value, BeatLine& into) {
  const std::string_view token = value.raw_json_token();
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), into.offset);
  into.digits = token.substr(0, static_cast<std::size_t>(end - token.data()));
  return error == std::errc() && token.find_first_not_of(" \t\r\n", into.digits.size()) == std::string_view::npos;
}

/// Calls each(key, value) for the members of an object; false when it is none, or damaged.
template <class Each>
bool for_members(simdjson::simdjson_result<ondemand::object> from, Each each) {
  ondemand::object object;
  if (std::move(from).get(object) != SUCCESS) return false;
  for (auto member : object) {
    ondemand::raw_json_string key;
    ondemand::value value;
    if (member.key().get(key) != SUCCESS || member.value().get(value) != SUCCESS) return false;
    each(key, value);
  }
  return true;
}

/// The end of a text that begins at `at`: the quote behind it. Null: there is none.
const char* text_end(const char* at, const char* end) {
  for (const char* from = at; from < end;) {
    const auto* quote = static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end - from)));
    if (quote == nullptr) return nullptr;
    const char* before = quote;
    while (before > at && before[-1] == '\\') --before;
    if ((quote - before) % 2 == 0) return quote;
    from = quote + 1;
  }
  return nullptr;
}

}  // namespace

struct BeatParser::State {
  ondemand::parser parser;
  bool offset = false;

  void take_file(ondemand::value& from, BeatLine& into) {
    (void)for_members(from.get_object(), [&](ondemand::raw_json_string key, ondemand::value& value) {
      if (key.unsafe_is_equal("path")) into.path = text_of(value);
      if (key.unsafe_is_equal("inode") || key.unsafe_is_equal("idxlo")) into.inode = text_of(value);
      if (key.unsafe_is_equal("device_id") || key.unsafe_is_equal("vol")) into.device = text_of(value);
      if (key.unsafe_is_equal("fingerprint")) into.fingerprint = text_of(value);
    });
  }
  void take_log(ondemand::value& from, BeatLine& into) {
    (void)for_members(from.get_object(), [&](ondemand::raw_json_string key, ondemand::value& value) {
      if (key.unsafe_is_equal("offset")) offset = read_offset(value, into);
      if (key.unsafe_is_equal("file")) take_file(value, into);
    });
  }
  static void take_agent(ondemand::value& from, BeatLine& into) {
    (void)for_members(from.get_object(), [&](ondemand::raw_json_string key, ondemand::value& value) {
      if (key.unsafe_is_equal("id")) into.sender = text_of(value);
      if (key.unsafe_is_equal("ephemeral_id")) into.process = text_of(value);
    });
  }
  static void take_beat(ondemand::value& from, BeatLine& into) {
    (void)for_members(from.get_object(), [&](ondemand::raw_json_string key, ondemand::value& value) {
      if (key.unsafe_is_equal("name")) into.sender = text_of(value);
      if (key.unsafe_is_equal("hostname")) into.sender_host = text_of(value);
    });
  }
};

BeatParser::BeatParser() : state_(std::make_unique<State>()) {}
BeatParser::~BeatParser() = default;

bool BeatParser::parse(std::string_view json, BeatLine& into) {
  State& state = *state_;
  into = {};
  state.offset = false;
  ondemand::document document;
  if (json.empty() || state.parser.iterate(json.data(), json.size(), json.size() + kPadding).get(document) != SUCCESS)
    return false;
  const bool whole = for_members(document.get_object(), [&](ondemand::raw_json_string key, ondemand::value& value) {
    if (key.unsafe_is_equal("@timestamp")) into.time = text_of(value);
    if (key.unsafe_is_equal("message")) into.message = text_of(value);
    if (key.unsafe_is_equal("log")) state.take_log(value, into);
    if (key.unsafe_is_equal("agent")) State::take_agent(value, into);
    if (key.unsafe_is_equal("beat")) State::take_beat(value, into);
    if (key.unsafe_is_equal("source") && into.path.empty()) into.path = text_of(value);
    if (key.unsafe_is_equal("offset") && !state.offset) state.offset = read_offset(value, into);
  });
  return whole && state.offset && !into.path.empty() && !into.sender.empty() && into.message.data() != nullptr;
}

bool BeatLineReader::read(std::string_view json, BeatParser& parser, BeatLine& into) {
  if (learnt_ && read_alike(json, into)) return true;
  learnt_ = false;
  if (!parser.parse(json, into)) return false;
  learn(json, into);
  return true;
}

bool BeatLineReader::read_alike(std::string_view json, BeatLine& into) const {
  const char *at = json.data(), *end = at + json.size(), *fixed = fixed_.data();
  into = like_;
  for (std::size_t i = 0; i < gaps_.size(); ++i) {
    if (static_cast<std::size_t>(end - at) < pieces_[i] || std::memcmp(at, fixed, pieces_[i]) != 0) return false;
    at += pieces_[i];
    fixed += pieces_[i];
    if (gaps_[i] == Gap::offset) {
      const auto [behind, error] = std::from_chars(at, end, into.offset);
      if (error != std::errc()) return false;
      into.digits = {at, static_cast<std::size_t>(behind - at)};
      at = behind;
      continue;
    }
    const char* const stop = text_end(at, end);
    if (stop == nullptr) return false;
    (gaps_[i] == Gap::time ? into.time : into.message) = {at, static_cast<std::size_t>(stop - at)};
    at = stop;
  }
  return static_cast<std::size_t>(end - at) == pieces_.back() && std::memcmp(at, fixed, pieces_.back()) == 0;
}

void BeatLineReader::learn(std::string_view json, const BeatLine& line) {
  if (line.time.data() == nullptr) return;
  struct Part {
    std::size_t at, bytes;
    Gap gap;
  };
  const auto part = [&](std::string_view text, Gap gap) {
    return Part{static_cast<std::size_t>(text.data() - json.data()), text.size(), gap};
  };
  std::array<Part, 3> parts{part(line.time, Gap::time), part(line.message, Gap::message),
                            part(line.digits, Gap::offset)};
  std::ranges::sort(parts, {}, &Part::at);
  if (json.size() - line.time.size() - line.message.size() > kFixedMax) return;
  fixed_.clear();
  std::size_t at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    gaps_[i] = parts[i].gap;
    pieces_[i] = parts[i].at - at;
    fixed_ += json.substr(at, pieces_[i]);
    at = parts[i].at + parts[i].bytes;
  }
  pieces_.back() = json.size() - at;
  fixed_ += json.substr(at);
  origin_.clear();
  origin_.reserve(kFixedMax);
  like_ = {};
  for (auto field : {&BeatLine::sender, &BeatLine::sender_host, &BeatLine::process, &BeatLine::path, &BeatLine::device,
                     &BeatLine::inode, &BeatLine::fingerprint}) {
    const std::size_t begin = origin_.size();
    origin_ += line.*field;
    like_.*field = std::string_view(origin_).substr(begin);
  }
  like_.same_origin = true;
  learnt_ = true;
}

}  // namespace enclave::pipeline
