#include "control/waivers.h"

#include <algorithm>

namespace enclave::control {
namespace {

using pipeline::WaiverConfig;

constexpr std::int64_t kDay = 86'400LL * 1'000'000'000;
constexpr std::int64_t kSoon = 14 * kDay;

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near);
}

/// Whether it names something that exists.
bool check_target(const pipeline::Config& config, const WaiverConfig& waiver, std::span<const Control* const> controls,
                  Diagnostics& diagnostics) {
  const auto found = std::find_if(controls.begin(), controls.end(),
                                  [&](const Control* control) { return control->id == waiver.control; });
  if (found == controls.end()) {
    std::vector<std::string_view> ids;
    for (const Control* control : controls) ids.push_back(control->id);
    diagnostics.warning(waiver.control_place, fmt::format("control: there is no control \"{}\"{}", waiver.control,
                                                          suggestion(waiver.control, ids)));
    return false;
  }
  if (waiver.subject.empty()) return true;
  const auto subjects = (*found)->subjects(config);
  std::vector<std::string_view> names;
  for (const Subject& subject : subjects) names.push_back(subject.name);
  // Under another configuration of the store it may apply again.
  if (names.empty()) return true;
  if (std::find(names.begin(), names.end(), waiver.subject) != names.end()) return true;
  diagnostics.warning(waiver.subject_place,
                      fmt::format("subject: {} is not applied to anything named \"{}\"{}", waiver.control,
                                  waiver.subject, suggestion(waiver.subject, names)));
  return false;
}

}  // namespace

Waivers waivers_for(const pipeline::Config& config, std::string_view control, const Subject& subject,
                    std::int64_t now_ns) {
  const WaiverConfig* last = nullptr;
  for (const WaiverConfig& waiver : config.waivers) {
    if (waiver.control != control || (!waiver.subject.empty() && waiver.subject != subject.name)) continue;
    if (last == nullptr || waiver.until_ns > last->until_ns) last = &waiver;
  }
  if (last == nullptr) return {};
  return now_ns < last->until_ns ? Waivers{last, nullptr} : Waivers{nullptr, last};
}

void check_waivers(const pipeline::Config& config, std::span<const Control* const> controls, std::int64_t now_ns,
                   Diagnostics& diagnostics) {
  for (const WaiverConfig& waiver : config.waivers) {
    if (!check_target(config, waiver, controls, diagnostics)) continue;
    const std::int64_t left_ns = waiver.until_ns - now_ns;
    if (left_ns <= 0) {
      diagnostics.warning(waiver.until_place, fmt::format("until: the waiver of {} ended with {}; it no longer counts",
                                                          waiver.control, waiver.until));
    } else if (left_ns <= kSoon) {
      const std::int64_t days = (left_ns - 1) / kDay;
      diagnostics.warning(waiver.until_place,
                          fmt::format("until: the waiver of {} ends with {}, {}", waiver.control, waiver.until,
                                      days == 0 ? "today" : fmt::format("in {} day{}", days, days == 1 ? "" : "s")));
    }
  }
}

}  // namespace enclave::control
