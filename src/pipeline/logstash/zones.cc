#include "pipeline/logstash/zones.h"

#include <mutex>

#include "base/files.h"

namespace enclave::pipeline::logstash {
namespace {
/// Events can name zones: what they name in vain is remembered, but not without end.
constexpr std::size_t kKnownMax = 10'000;
}  // namespace

const Timezone* SystemZones::find(std::string_view name) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto known = known_.find(name); known != known_.end()) return known->second.get();
  }
  std::unique_ptr<Timezone> zone;
  if (auto offset = Timezone::from_offset_name(name)) {
    zone = std::make_unique<Timezone>(std::move(*offset));
  } else if (is_zone_name(name)) {
    if (const auto bytes = read_file(files_, join_path(directory_, std::string(name)), kTzifBytesMax))
      if (auto read = Timezone::from_tzif(*bytes, std::string(name)))
        zone = std::make_unique<Timezone>(std::move(*read));
  }
  const std::unique_lock lock(mutex_);
  if (!zone && known_.size() >= kKnownMax) return nullptr;
  return known_.emplace(std::string(name), std::move(zone)).first->second.get();
}

}  // namespace enclave::pipeline::logstash
