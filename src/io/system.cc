#include "io/system.h"

#include <sys/random.h>
#include <time.h>

#include "io/posix.h"

namespace enclave::io {
namespace {

std::int64_t now_of(clockid_t id) {
  timespec now{};
  ENSURE(::clock_gettime(id, &now) == 0);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ns() override { return now_of(CLOCK_REALTIME); }
  std::int64_t boot_ns() override { return now_of(CLOCK_BOOTTIME); }
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> into) override {
    while (!into.empty()) {
      const ssize_t got = uninterrupted([&] { return ::getrandom(into.data(), into.size(), 0); });
      ENSURE(got > 0);
      into = into.subspan(static_cast<std::size_t>(got));
    }
  }
};

}  // namespace

Clock& real_clock() {
  static SystemClock clock;
  return clock;
}

Random& real_random() {
  static SystemRandom random;
  return random;
}

World real_world() { return {real_clock(), real_files(), real_random()}; }

}  // namespace enclave::io
