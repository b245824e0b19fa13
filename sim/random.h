#pragma once

#include <cstdint>
#include <span>

#include "base/ports.h"

namespace enclave::sim {

/// The same numbers for the same seed, on every machine (SplitMix64). For keys too: in here nobody attacks.
class SimRandom : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(mixed(seed ^ 0x1234'5678'9ABC'DEF1ULL)) {}

  void fill(std::span<std::uint8_t> into) override {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < into.size(); ++i) {
      if (i % 8 == 0) word = next();
      into[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8));
    }
  }

  std::uint64_t next() {
    state_ += 0x9E37'79B9'7F4A'7C15ULL;
    return mixed(state_);
  }
  /// 0 to `bound` - 1; 0 when the bound is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// `low` to `high`, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(double probability) { return static_cast<double>(next() >> 11) < probability * 0x1p53; }
  /// A generator of its own, so that one part's draws do not move another's.
  SimRandom split() { return SimRandom(next()); }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace enclave::sim
