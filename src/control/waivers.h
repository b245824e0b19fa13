#pragma once

#include <cstdint>
#include <span>

#include "control/control.h"

/// Waivers of enclave.yaml: findings that are accepted for a time.
namespace enclave::control {

/// Those that name a control and a subject. Both nullptr: none does.
struct Waivers {
  const pipeline::WaiverConfig* in_force = nullptr;  ///< the one that ends last
  const pipeline::WaiverConfig* expired = nullptr;   ///< set only when none is in force
};

/// A waiver holds until the end of its day, in UTC.
Waivers waivers_for(const pipeline::Config& config, std::string_view control, const Subject& subject,
                    std::int64_t now_ns);

/// Warns of waivers that name no control or no subject of it (with the nearest), that are over, or that will be within
/// 14 days.
void check_waivers(const pipeline::Config& config, std::span<const Control* const> controls, std::int64_t now_ns,
                   Diagnostics& diagnostics);

}  // namespace enclave::control
