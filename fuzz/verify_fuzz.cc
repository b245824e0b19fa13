// uses: archive event crypto base
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "archive/tiles.h"
#include "archive/verify.h"

namespace {

using namespace enclave;  // NOLINT(google-build-using-namespace)

/// A bucket that somebody hostile filled: each piece of the input is the content of one key of a log.
class HostileSource final : public archive::LogSource {
 public:
  explicit HostileSource(std::string_view input) {
    constexpr std::string_view kKeys[] = {"checkpoint",
                                          "checkpoint",
                                          "tile/entries/000.p/1",
                                          "tile/entries/000.p/3",
                                          "tile/entries/000",
                                          "tile/0/000.p/1",
                                          "tile/0/000.p/3",
                                          "tile/0/000",
                                          "tile/1/000.p/1",
                                          "tile/entries/001.p/2",
                                          "tile/0/001.p/2",
                                          "tile/63/000.p/9",
                                          "b/00000000000000000002.ndjson.zst.age",
                                          "b/18446744073709551615.cms",
                                          "tile/entries/x999/x999/x999/x999/999",
                                          "unknown"};
    while (input.size() >= 3) {
      const auto key = static_cast<unsigned char>(input[0]) % std::size(kKeys);
      const auto bytes =
          static_cast<std::size_t>(static_cast<unsigned char>(input[1])) << 8 | static_cast<unsigned char>(input[2]);
      input.remove_prefix(3);
      auto& versions = keys_["v1/e/i/g1/" + std::string(kKeys[key])];
      versions.emplace_back(input.substr(0, bytes));
      input.remove_prefix(std::min(bytes, input.size()));
    }
  }

  Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) override {
    for (const auto& [key, versions] : keys_)
      for (std::size_t i = 0; i < versions.size() && key.starts_with(prefix); ++i)
        TRY(visit({key, versions[i].size(), std::to_string(i), i + 1 == versions.size(), 0}));
    return {};
  }
  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return Error{Fault::absent, "{}", key};
    const auto& versions = found->second;
    const std::string& bytes = version.empty() ? versions.back() : versions[std::stoul(version)];
    if (bytes.size() > bytes_max) return Error{Fault::limit, "{}", key};
    return bytes;
  }
  std::string name() const override { return "hostile"; }

 private:
  std::map<std::string, std::vector<std::string>> keys_;
};

class StillClock final : public Clock {
 public:
  std::int64_t wall_ns() override { return 0; }
  std::int64_t boot_ns() override { return 0; }
};

}  // namespace

// Nobody but who has the key makes a log that passes: any bytes are a report, and never a good one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  HostileSource source({reinterpret_cast<const char*>(data), size});
  StillClock clock;
  archive::VerifyOptions options;
  const crypto::Ed25519PublicKey key{1, 2, 3};
  options.keys = {archive::NoteVerifier::of("e/i/g1", key)};
  const auto report = archive::verify(source, options, clock);
  ENSURE(report.has_value());
  ENSURE(report->weight() >= archive::Weight::inconclusive);
  return 0;
}
