#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "archive/log.h"
#include "archive/sealer.h"
#include "archive/verify.h"
#include "cloud/object_store.h"

/// Real logs in real directories, made by the code that seals on a host and kept by the file store.
namespace enclave::tampering {

/// Time that a test sets.
class TestClock : public Clock {
 public:
  std::int64_t wall_ns() override { return wall; }
  std::int64_t boot_ns() override { return boot; }
  void pass(std::int64_t ns) {
    wall += ns;
    boot += ns;
  }
  std::int64_t wall = 1'795'000'000'000'000'000;  // 2026-11-18
  std::int64_t boot = 60'000'000'000;
};

class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

/// A directory that goes when the object goes.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A host that seals into a bucket.
class Host {
 public:
  /// State and bucket lie below `directory`.
  Host(const std::filesystem::path& directory, std::uint64_t seed);

  void boot(const std::string& boot_id);
  /// Seals `count` lines of one source as one object.
  void seal(std::uint64_t count, std::uint64_t lost = 0);
  /// Seals a batch as it is.
  void seal_batch(archive::OpenBatch& batch);
  void add_lines(archive::OpenBatch& batch, std::uint64_t first_seq, std::uint64_t count, const std::string& from,
                 const std::string& to, std::uint64_t lost = 0);
  void heartbeats(int count);
  /// Sends objects, tiles and checkpoint.
  void publish();
  void send_objects();
  void send_tiles();

  archive::Log& log() { return *log_; }
  std::uint64_t next_seq() const { return next_seq_; }
  std::uint64_t position() const { return position_; }
  const crypto::AgeIdentity& identity() const { return identity_; }
  std::filesystem::path bucket() const { return directory_ / "bucket"; }
  std::string source() const { return "file:/var/log/auth.log@1f3a9c02"; }

  TestClock clock;

 private:
  World world();
  std::filesystem::path directory_;
  SeededRandom random_;
  crypto::AgeIdentity identity_;
  std::string boot_id_;
  std::unique_ptr<archive::Log> log_;
  std::unique_ptr<cloud::ObjectStore> store_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t position_ = 0;
};

inline constexpr char kBootA[] = "aaaaaaaa-0000-4000-8000-000000000001";
inline constexpr char kBootB[] = "bbbbbbbb-0000-4000-8000-000000000002";
inline constexpr char kOrigin[] = "ec528/vm-1/g1";

/// The log that most tests change: 298 leaves, a reboot (new key), nine uploads, objects at the indices below.
/// Made once; each test gets a copy.
struct SealedLog {
  SealedLog();
  Scratch scratch;
  std::unique_ptr<Host> host;
  std::vector<std::uint64_t> objects;            ///< leaf indices
  std::vector<std::string> checkpoints;          ///< of each upload, in order
  std::vector<std::filesystem::path> snapshots;  ///< copies of the bucket after some uploads
  std::uint64_t key_leaf = 0;                    ///< of the second key
};
const SealedLog& sealed_log();

/// A copy of a bucket that a test may change.
class Copy {
 public:
  explicit Copy(const std::filesystem::path& bucket);
  std::filesystem::path path() const { return scratch_.path() / "bucket"; }
  std::string key(const std::string& rest) const { return std::string("v1/") + kOrigin + "/" + rest; }
  std::filesystem::path file(const std::string& rest) const { return path() / key(rest); }

  static std::string read(const std::filesystem::path& file);
  static void write(const std::filesystem::path& file, const std::string& bytes);
  static void flip(const std::filesystem::path& file, std::uint64_t offset, unsigned char mask = 1);
  /// All regular files below it, in order.
  std::vector<std::filesystem::path> files() const;

  archive::VerifyReport verify(const std::function<void(archive::VerifyOptions&)>& adjust = {}) const;

 private:
  Scratch scratch_;
};

/// "MODIFIED tile/0/000 7": verdict, key below the log, index; of the violations only, in the report's order.
std::vector<std::string> violations(const archive::VerifyReport& report);
/// The same of the findings of this weight.
std::vector<std::string> of_weight(const archive::VerifyReport& report, archive::Weight weight);

std::string object_name(std::uint64_t index);

}  // namespace enclave::tampering
