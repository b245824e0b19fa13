#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "archive/leaf.h"
#include "archive/note.h"
#include "archive/tiles.h"
#include "cloud/object_store.h"
#include "sim/clock.h"
#include "sim/random.h"

namespace enclave::sim {

/// A bucket in memory that fails as buckets do, and that holds the program to more than a bucket would: whatever breaks
/// the rules of docs/formats/log-layout.md is remembered as a violation.
class SimStore : public cloud::ObjectStore {
 public:
  struct Manners {
    double fails = 0;        ///< probability that a call fails and did nothing
    double answer_lost = 0;  ///< probability that a call fails and was done all the same
  };
  SimStore(SimClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  Result<std::string> put(const std::string& key, std::string_view bytes) override;
  Result<std::string> put_if_absent(const std::string& key, std::string_view bytes) override;
  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override;
  Result<cloud::ObjectInfo> head(const std::string& key, const std::string& version) override;
  Result<void> list(const cloud::Listing& listing,
                    const std::function<Result<void>(const cloud::ObjectInfo&)>& visit) override;
  Result<void> remove(const std::string& key, const std::string& version) override;
  std::string name() const override { return "sim://bucket"; }

  void set_manners(Manners manners) { manners_ = manners; }
  /// Every call fails until this much virtual time has gone by.
  void stall(Nanoseconds duration) { stalled_until_ = clock_.elapsed_ns() + duration.count(); }
  /// Every call fails until it comes back.
  void go_away(bool away) { away_ = away; }
  /// Well again, whatever it was.
  void recover() {
    manners_ = {};
    away_ = false;
    stalled_until_ = 0;
  }
  /// The caller's process is dead: what it asks is not heard.
  void set_dead(std::function<bool()> dead) { dead_ = std::move(dead); }
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }

  /// Rules that were broken, each with its key.
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t calls() const { return calls_; }
  /// The latest version of every object, seen past all manners.
  std::map<std::string, std::string> objects() const;

 private:
  struct Version {
    std::string bytes;
    std::string version;
    bool delete_marker = false;
    std::int64_t modified_ns = 0;
  };
  Result<void> arrive(std::string_view what, const std::string& key);
  Result<void> answer(const std::string& key);
  const Version* find(const std::string& key, const std::string& version) const;
  std::string store(const std::string& key, std::string_view bytes, bool delete_marker);
  void violated(std::string text);
  void check_checkpoint(const std::string& key, std::string_view note);
  Result<void> check_tree(const std::string& prefix, const archive::Checkpoint& checkpoint) const;
  Result<void> check_object(const archive::Leaf& leaf) const;
  Result<std::string> tile(const std::string& prefix, archive::TileId id) const;
  cloud::ObjectInfo info_of(const std::string& key, const Version& version, bool latest) const;

  SimClock& clock_;
  SimRandom random_;
  Manners manners_;
  std::int64_t stalled_until_ = 0;
  bool away_ = false;
  std::function<bool()> dead_;
  std::function<void(const std::string&)> trace_;
  std::map<std::string, std::vector<Version>> objects_;  ///< oldest version first
  std::map<std::string, std::uint64_t> sizes_;           ///< of the newest checkpoint, per key
  std::uint64_t versions_ = 0;
  std::uint64_t calls_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace enclave::sim
