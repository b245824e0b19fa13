#include <gmock/gmock.h>

#include "sim/world.h"

/// The main job on one simulated machine, one story each. The random workloads are in workload.cc.
namespace enclave::sim {
namespace {
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Gt;
using testing::IsEmpty;
using testing::SizeIs;

void expect_whole(Sim& sim) {
  EXPECT_THAT(sim.problems(), IsEmpty());
  EXPECT_THAT(sim.store.violations(), IsEmpty());
  const auto report = sim.verify();
  EXPECT_EQ(report.exit_status(), 0);
  for (const auto& log : report.logs)
    for (const auto& finding : log.findings) ADD_FAILURE() << finding.text;
}

TEST(MainJob, ResumesAfterPowerLossWithoutLosingOrRepeatingALine) {
  Sim sim({.seed = 7});
  sim.append("/var/log/auth.log", "one\ntwo\n");
  sim.run_for(seconds(1));
  sim.cut_power();
  sim.append("/var/log/auth.log", "three\n");
  sim.run_until_idle();
  EXPECT_THAT(sim.archived_lines(), ElementsAre("one", "two", "three"));
  expect_whole(sim);
}

TEST(MainJob, SurvivesADeathAtEveryChangeOfTheDisk) {
  for (std::uint64_t changes = 0; changes < 60; ++changes) {
    for (const bool power : {false, true}) {
      SCOPED_TRACE(fmt::format("after {} changes, {}", changes, power ? "power cut" : "kill -9"));
      Sim sim({.seed = 100 + changes});
      sim.append("/var/log/auth.log", "one\ntwo\n");
      sim.crash_within(changes, power);
      sim.run_for(seconds(40));
      sim.append("/var/log/auth.log", "three\n");
      sim.run_until_idle();
      EXPECT_THAT(sim.archived_lines(), ElementsAre("one", "two", "three"));
      expect_whole(sim);
    }
  }
}

TEST(MainJob, FailsAtEveryChangeOfTheDiskOnceAndRecoversByItself) {
  for (const Fault fault : {Fault::busy, Fault::limit}) {
    for (std::uint64_t nth = 1; nth < 50; ++nth) {
      SCOPED_TRACE(fmt::format("{} at change {}", name_of(fault), nth));
      Sim sim({.seed = 200 + nth});
      sim.disk.fail({.calls = call::kChanges, .below = "/var/lib", .fault = fault, .nth = nth});
      sim.append("/var/log/auth.log", "one\ntwo\n");
      sim.run_for(seconds(40));
      sim.append("/var/log/auth.log", "three\n");
      sim.run_until_idle();
      EXPECT_THAT(sim.archived_lines(), ElementsAre("one", "two", "three"));
      expect_whole(sim);
    }
  }
}

TEST(MainJob, KeepsReadingWhileTheStoreIsAwayAndSendsAllAfterwards) {
  Sim sim({.seed = 8});
  sim.store.go_away(true);
  for (int i = 0; i < 20; ++i) {
    sim.append("/var/log/auth.log", fmt::format("line {}\n", i));
    sim.run_for(minutes(1));
  }
  EXPECT_EQ(sim.status().records_committed, 20u);
  EXPECT_THAT(sim.store.objects(), IsEmpty());
  sim.store.go_away(false);
  sim.run_until_idle();
  EXPECT_THAT(sim.archived_lines(), SizeIs(20));
  expect_whole(sim);
}

TEST(MainJob, StopsReadingWhenTheSpoolIsFullAndGoesOnWithoutLoss) {
  SimOptions options{.seed = 9};
  options.engine.spool_bytes_max = 64_KiB;
  options.engine.segment_bytes = 8_KiB;
  options.engine.read_bytes = 4_KiB;
  options.engine.flush_after = seconds(1);
  Sim sim(options);
  sim.store.go_away(true);
  SimRandom random(9);
  std::string line;
  for (int i = 0; i < 4000; ++i) {
    line.clear();
    for (int j = 0; j < 60; ++j) line += static_cast<char>('!' + random.below(90));
    sim.append("/var/log/auth.log", line + "\n");
  }
  sim.run_for(minutes(5));
  EXPECT_TRUE(sim.status().reading_stopped);
  EXPECT_THAT(sim.status().troubles, SizeIs(Gt(0u)));
  EXPECT_LT(sim.status().records_committed, 4000u);
  sim.store.go_away(false);
  sim.run_until_idle();
  EXPECT_FALSE(sim.status().reading_stopped);
  EXPECT_THAT(sim.archived_lines(), AllOf(SizeIs(4000), testing::Contains(line)));
  expect_whole(sim);
}

TEST(MainJob, RecoversFromAFullDiskByItself) {
  Sim sim({.seed = 10});
  sim.append("/var/log/auth.log", "one\n");
  sim.run_for(minutes(1));
  sim.disk.set_capacity(sim.disk.used());
  sim.append("/var/log/auth.log", "two\nthree\n");
  sim.run_for(minutes(2));
  EXPECT_THAT(sim.status().troubles, SizeIs(Gt(0u)));
  sim.disk.set_capacity(1 << 20);
  sim.run_until_idle();
  EXPECT_THAT(sim.archived_lines(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(sim.status().troubles, IsEmpty());
  expect_whole(sim);
}

TEST(MainJob, SaysThatItIsAliveWhileNothingHappens) {
  Sim sim({.seed = 11});
  sim.append("/var/log/auth.log", "one\n");
  sim.run_until_idle();
  const auto leaves = sim.status().leaves;
  sim.run_for(hours(1));
  EXPECT_GE(sim.status().leaves, leaves + 10);
  expect_whole(sim);
}

TEST(MainJob, ChangesItsKeyAtEachBoot) {
  Sim sim({.seed = 12});
  for (int i = 0; i < 4; ++i) {
    sim.append("/var/log/auth.log", fmt::format("boot {}\n", i));
    sim.run_until_idle();
    EXPECT_TRUE(sim.restart(true));
  }
  sim.run_until_idle();
  EXPECT_THAT(sim.archived_lines(), ElementsAre("boot 0", "boot 1", "boot 2", "boot 3"));
  expect_whole(sim);
}

TEST(MainJob, GivesOutTheLastLineWithoutANewlineWhenItEnds) {
  Sim sim({.seed = 13});
  sim.append("/var/log/auth.log", "one\ntw");
  sim.run_until_idle();
  EXPECT_THAT(sim.archived_lines(), ElementsAre("one"));
  EXPECT_TRUE(sim.restart());
  sim.append("/var/log/auth.log", "o\nthree\n");
  sim.run_until_idle();
  std::string bytes;
  for (const auto& record : sim.archived_records()) bytes += record.original();
  EXPECT_EQ(bytes, "one\ntwo\nthree\n");
  expect_whole(sim);
}

}  // namespace
}  // namespace enclave::sim
