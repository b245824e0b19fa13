#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/record.h"

namespace enclave::cli {

/// One JSON object, written member by member. Texts that are not UTF-8 are made so: it is for people's tools.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value) { return raw(name, event::json_text(value)); }
  JsonObject& number(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }
  JsonObject& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  /// `json` is a JSON value already.
  JsonObject& raw(std::string_view name, std::string_view json) {
    out_ += out_.size() > 1 ? "," : "";
    out_ += event::json_text(name) + ":" + std::string(json);
    return *this;
  }
  std::string done() const { return out_ + "}"; }

 private:
  std::string out_ = "{";
};

}  // namespace enclave::cli
