#include <array>
#include <random>

#include "base/encoding.h"
#include "io/system.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Gives each event a random identifier (RFC 9562, version 4).
class Uuid final : public Filter {
 public:
  Uuid(logstash::FieldReference target, bool overwrite) : target_(std::move(target)), overwrite_(overwrite) {
    // Unlikely to be met twice is all that it must be: nobody's secret hangs on it.
    std::array<std::uint8_t, 32> bytes{};
    io::real_random().fill(bytes);
    std::seed_seq seed(bytes.begin(), bytes.end());
    random_.seed(seed);
  }

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    if (!overwrite_ && event.find(target_.segments()) != nullptr) return true;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      const std::uint64_t some = random_();
      for (std::size_t j = 0; j < 8; ++j) bytes[i + j] = static_cast<std::uint8_t>(some >> (8 * j));
    }
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text = to_hex(bytes_of(bytes));
    for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
    return event.set(target_.segments(), Value::of(event.arena().store(text)));
  }

 private:
  logstash::FieldReference target_;
  bool overwrite_;
  std::mt19937_64 random_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  if (!options.has("target")) options.mistake("target", "the field to write is wanted: target => \"uuid\"");
  auto target = options.field("target", "uuid");
  const bool overwrite = options.boolean("overwrite", false);
  if (options.failed()) return nullptr;
  return std::make_unique<Uuid>(std::move(target), overwrite);
}

}  // namespace

extern const FilterPlugin filter_uuid;
const FilterPlugin filter_uuid = {"uuid", "Gives each event a random identifier.", make};

}  // namespace enclave::pipeline
