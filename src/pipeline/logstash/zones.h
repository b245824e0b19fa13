#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::logstash {

/// The time zones of this machine, each read once. Thread-safe; what it gave out lives as long as it does.
class SystemZones {
 public:
  explicit SystemZones(Files& files, std::string directory = "/usr/share/zoneinfo")
      : files_(files), directory_(std::move(directory)) {}
  /// "Europe/Berlin", "+02:00"; null for what names no zone.
  const Timezone* find(std::string_view name);
  /// This, as those who look zones up want it. It must not outlive this object.
  ZoneLookup lookup() {
    return [this](std::string_view name) { return find(name); };
  }

 private:
  Files& files_;
  std::shared_mutex mutex_;
  std::string directory_;
  std::map<std::string, std::unique_ptr<Timezone>, std::less<>> known_;  ///< null: looked for in vain
};

}  // namespace enclave::pipeline::logstash
