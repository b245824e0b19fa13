#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "control/fake_controls.h"
#include "control/runner.h"
#include "sim/disk.h"

// Changes to a store that outlives the machine, and a machine that dies at every moment: what was changed can be put
// back.
namespace enclave::control {
namespace {

using fake::FakeStorage;
using fake::Settings;

constexpr std::string_view kDirectory = "/state/control/applied";

Settings any_settings(std::mt19937& random) {
  Settings settings;
  for (const std::string bucket : {"one", "two", "three"}) {
    if (random() % 3 == 0) continue;
    if (random() % 2 == 0) settings[bucket]["exists"] = "yes";
    for (const std::string name : {"versioning", "acl", "policy"})
      if (random() % 2 == 0) settings[bucket][name] = random() % 2 == 0 ? "wrong" : "on";
    if (settings[bucket].empty()) settings.erase(bucket);
  }
  return settings;
}

class Machine {
 public:
  explicit Machine(std::uint32_t seed) : random_(seed), disk_(clock_, seed), bytes_(seed) {
    config_.storage.endpoint = "https://h";
    for (const auto name : {"one", "two", "three"}) config_.buckets.emplace_back().name = name;
    (void)disk_.make_directory("/state");
    disk_.flush();
    storage_.settings = any_settings(random_);
  }

  std::vector<AppliedItem> apply() {
    const auto plan = make_plan(reach_, scope_);
    EXPECT_TRUE(plan);
    UndoJournal journal(world_, std::string(kDirectory), config_.storage.endpoint);
    return apply_plan(reach_, scope_, *plan, journal);
  }
  /// Until nothing is left to undo; gives why it stopped before.
  std::string undo_all() {
    for (int runs = 0; runs < 10; ++runs) {
      const auto run = newest_to_undo(disk_, std::string(kDirectory));
      if (!run) return run.error().text();
      if (!*run) return "";
      const auto undone = undo_run(reach_, scope_, **run, std::string(kDirectory));
      if (!undone) return undone.error().text();
      for (const auto& change : *undone)
        if (change.outcome != UndoneChange::Outcome::undone) return change.text;
    }
    return "there is no end of runs";
  }
  void die(bool power) { power ? disk_.cut_power() : disk_.resume(); }

  std::mt19937 random_;
  sim::SimClock clock_;
  sim::Disk disk_;
  sim::SimRandom bytes_;
  World world_{clock_, disk_, bytes_};
  pipeline::Config config_;
  FakeStorage storage_;
  Reach reach_{world_, config_, storage_};
  Scope scope_{fake::kReversible, {}, {}};
};

TEST(Controls, ApplyMakesAnyStateRightOnceAndUndoPutsItBack) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Machine machine(seed);
    const Settings before = machine.storage_.settings;
    EXPECT_EQ(exit_status(machine.apply()), 0);
    const auto changes = machine.storage_.changes;
    EXPECT_FALSE(make_plan(machine.reach_, machine.scope_)->has_changes());
    EXPECT_EQ(exit_status(machine.apply()), 0);
    EXPECT_EQ(machine.storage_.changes, changes);
    EXPECT_EQ(machine.undo_all(), "");
    EXPECT_EQ(machine.storage_.settings, before);
  }
}

/// The disk stops at the n-th call that `act` makes, for every n until it comes through; what is there then is undone.
/// Gives how often the machine died.
std::size_t die_in(const std::function<void(Machine&)>& prepare, const std::function<void(Machine&)>& act) {
  std::size_t deaths = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    bool died = true;
    for (std::uint64_t calls = 0; died && calls < 1'000; ++calls) {
      SCOPED_TRACE(fmt::format("seed {}, disk call {}", seed, calls));
      Machine machine(seed);
      const Settings before = machine.storage_.settings;
      prepare(machine);
      machine.disk_.halt_after(calls);
      act(machine);
      died = machine.disk_.halted();
      deaths += died ? 1 : 0;
      machine.die(seed % 2 == 0);
      EXPECT_EQ(machine.undo_all(), "");
      EXPECT_EQ(machine.storage_.settings, before);
    }
    EXPECT_FALSE(died) << "seed " << seed << ": it never comes through";
  }
  return deaths;
}

TEST(Controls, WhateverTheMachineDiesInUndoPutsBackTheOriginalState) {
  EXPECT_GT(die_in([](Machine&) {}, [](Machine& machine) { (void)machine.apply(); }), 100U);
}

TEST(Controls, UndoThatDiesGoesOnWhereItWas) {
  EXPECT_GT(die_in([](Machine& machine) { EXPECT_EQ(exit_status(machine.apply()), 0); },
                   [](Machine& machine) { (void)machine.undo_all(); }),
            100U);
}

TEST(Controls, WhereverTheStoreGoesAwayUndoPutsBackTheOriginalState) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    for (std::uint64_t at = 1; at <= 12; ++at) {
      SCOPED_TRACE(fmt::format("seed {}, change {}", seed, at));
      Machine machine(seed);
      const Settings before = machine.storage_.settings;
      machine.storage_.fail_at = at;
      const auto applied = machine.apply();
      EXPECT_EQ(exit_status(applied) != 0,
                machine.storage_.changes == at - 1 && make_plan(machine.reach_, machine.scope_)->has_changes());
      machine.storage_.fail_at = 0;
      EXPECT_EQ(machine.undo_all(), "");
      EXPECT_EQ(machine.storage_.settings, before);
    }
  }
}

// A disk that refuses single calls: nothing is changed that could not be kept, and the journal stays readable.
TEST(Controls, NothingIsChangedThatCouldNotBeKept) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Machine machine(seed);
    const Settings before = machine.storage_.settings;
    machine.disk_.fail({.calls = sim::call::kChanges, .below = "/state", .fault = Fault::limit, .probability = 0.2});
    (void)machine.apply();
    machine.disk_.heal();
    EXPECT_EQ(machine.undo_all(), "");
    EXPECT_EQ(machine.storage_.settings, before);
  }
}

}  // namespace
}  // namespace enclave::control
