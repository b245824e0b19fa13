#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::filebeat {

/// A time zone by the name that Filebeat's file has: UTC, Local, Europe/Berlin, +0200.
class Zone {
 public:
  Zone(const std::string& name, Files& files, const logstash::ZoneLookup& zones) {
    using logstash::Timezone;
    if (name.empty() || name == "UTC") {
      zone_ = &own_.emplace(Timezone::utc());
    } else if (name == "Local") {
      const auto bytes = read_file(files, "/etc/localtime", logstash::kTzifBytesMax);
      auto local = bytes ? Timezone::from_tzif(*bytes, "Local") : Result<Timezone>(Timezone::utc());
      zone_ = &own_.emplace(local ? std::move(*local) : Timezone::utc());
    } else {
      zone_ = zones(name);
    }
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  /// Null: there is none of this name.
  const logstash::Timezone* get() const { return zone_; }

 private:
  std::optional<logstash::Timezone> own_;
  const logstash::Timezone* zone_ = nullptr;
};

}  // namespace enclave::pipeline::filebeat
