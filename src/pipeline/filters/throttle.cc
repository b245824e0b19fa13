#include <algorithm>
#include <charconv>
#include <list>
#include <map>
#include <unordered_map>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kCountersMax = 10'000'000;  ///< for "any number": some bound there must be
constexpr std::size_t kSlotsMax = 1000;            ///< periods of one key; the oldest goes
constexpr std::size_t kKeyBytesMax = 4096;         ///< longer keys are told apart by their beginning

/// Succeeds for events that come too seldom or too often.
class Throttle final : public Filter {
 public:
  struct Settings {
    logstash::TextReference key, period;
    std::int64_t before_count = -1, after_count = -1, max_age_seconds = 3600;
    std::size_t counters_max = 100'000;
  };
  explicit Throttle(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const std::int64_t seconds = floor_seconds(event.wall_ns());
    const std::int64_t period = period_of(event, run);
    put(settings_.key, event, run);
    if (run.scratch.size() > kKeyBytesMax) run.scratch.resize(kKeyBytesMax);
    Key& key = find_or_make(run.scratch, seconds);
    std::int64_t behind = (seconds - key.created) % period;
    if (behind < 0) behind += period;
    const auto [slot, fresh] = key.slots.try_emplace(seconds - behind, 0);
    counters_ += fresh ? 1 : 0;
    const std::int64_t count = ++slot->second;
    const std::int64_t oldest = key.slots.rbegin()->first - settings_.max_age_seconds;
    while (key.slots.size() > 1 && (key.slots.begin()->first < oldest || key.slots.size() > kSlotsMax)) {
      key.slots.erase(key.slots.begin());
      --counters_;
    }
    make_room();
    return (settings_.before_count != -1 && count < settings_.before_count) ||
           (settings_.after_count != -1 && count > settings_.after_count);
  }

 private:
  struct Key {
    std::string text;
    std::int64_t created = 0;
    std::map<std::int64_t, std::int64_t> slots;  ///< begin of a period: how many
  };
  using Keys = std::list<Key>;

  static std::int64_t floor_seconds(std::int64_t wall_ns) { return wall_ns / kSecond - (wall_ns % kSecond < 0); }

  static void put(const logstash::TextReference& reference, const event::Document& event, FilterRun& run) {
    run.scratch.clear();
    reference.append(
        event.wall_ns(), run.now_ns,
        [&event](const logstash::TextReference::Part& part, std::string& out) {
          const Value* const value = event.find(part.field->segments());
          if (value == nullptr) return false;
          append_text(*value, out);
          return true;
        },
        run.scratch);
  }

  std::int64_t period_of(const event::Document& event, FilterRun& run) const {
    put(settings_.period, event, run);
    std::int64_t period = 0;
    std::from_chars(run.scratch.data(), run.scratch.data() + run.scratch.size(), period);
    // As the original: what is no number is a minute.
    return period <= 0 ? 60 : period;
  }

  Key& find_or_make(const std::string& text, std::int64_t seconds) {
    if (const auto found = index_.find(text); found != index_.end()) {
      keys_.splice(keys_.end(), keys_, found->second);
      return keys_.back();
    }
    keys_.push_back({.text = text, .created = seconds, .slots = {}});
    index_.emplace(keys_.back().text, std::prev(keys_.end()));
    return keys_.back();
  }

  /// Beyond max_counters the keys that were met longest ago go, and in any case those that are too old.
  void make_room() {
    const std::int64_t oldest = keys_.back().slots.rbegin()->first - settings_.max_age_seconds;
    while (keys_.size() > 1) {
      const Key& first = keys_.front();
      if (counters_ <= settings_.counters_max && first.slots.rbegin()->first >= oldest) return;
      counters_ -= first.slots.size();
      index_.erase(first.text);
      keys_.pop_front();
    }
  }

  Settings settings_;
  Keys keys_;  ///< the one that was met longest ago is the first
  std::unordered_map<std::string_view, Keys::iterator> index_;
  std::size_t counters_ = 0;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  if (!options.has("key")) options.mistake("key", "what tells events apart is wanted: key => \"%{message}\"");
  Throttle::Settings settings{.key = options.reference("key", ""), .period = options.reference("period", "60")};
  settings.before_count = options.number("before_count", -1, -1, 1'000'000'000);
  settings.after_count = options.number("after_count", -1, -1, 1'000'000'000);
  settings.max_age_seconds = options.number("max_age", 3600, 0, 1'000'000'000);
  const std::int64_t counters = options.number("max_counters", 100'000, -1, kCountersMax);
  settings.counters_max = static_cast<std::size_t>(counters == -1 ? kCountersMax : counters);
  if (settings.before_count == -1 && settings.after_count == -1)
    options.warning("key", "neither before_count nor after_count is set, so no event is ever throttled");
  if (options.failed()) return nullptr;
  return std::make_unique<Throttle>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_throttle;
const FilterPlugin filter_throttle = {"throttle", "Succeeds for events that come too seldom or too often.", make};

}  // namespace enclave::pipeline
