#pragma once

#include <string>
#include <vector>

#include "sim/account.h"
#include "sim/world.h"

namespace enclave::sim {

/// One run of the main job on a random machine under a random workload, all of it from one seed.
struct Run {
  std::uint64_t seed = 0;
  std::vector<std::string> wrong;  ///< empty: good
  std::vector<std::string> trace;
  std::string summary;  ///< "812 records, 14 leaves, 3 crashes, 1 power cut"
};

/// Appends of every kind, rotations, crashes, power cuts, outages, full and failing disks; then everything is healed,
/// comes to rest, and the archive must hold every byte once.
Run run_workload(std::uint64_t seed, bool trace);

}  // namespace enclave::sim
