#pragma once

#include <random>

#include "base/ports.h"

namespace enclave::crypto {

/// Bytes that follow from a seed. For tests only.
class TestRandom : public Random {
 public:
  explicit TestRandom(unsigned seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_;
};

}  // namespace enclave::crypto
