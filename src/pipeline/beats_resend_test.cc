#include <algorithm>

#include "pipeline/beats_bench.h"

namespace enclave::pipeline {
namespace {

using testing::BeatEvent;
using testing::BeatPeer;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using testing::lumberjack_window;
using ::testing::SizeIs;

constexpr const char* kElsewhere = "127.0.0.2";

class BeatsResend : public ::testing::Test {
 protected:
  /// Lines of 100 bytes each, from `first` on: `name 0`, `name 1`, …
  std::vector<std::string> lines(const BeatEvent& like, const std::string& name, int first, int count) {
    std::vector<std::string> out;
    for (int i = first; i < first + count; ++i) {
      BeatEvent event = like;
      event.offset = static_cast<std::uint64_t>(i) * 100;
      event.message = fmt::format("{} {}", name, i);
      out.push_back(event.json());
    }
    return out;
  }
  static std::vector<std::string> texts(const std::string& name, int first, int count) {
    std::vector<std::string> out;
    for (int i = first; i < first + count; ++i) out.push_back(fmt::format("{} {}", name, i));
    return out;
  }
  /// Sends a window over a connection of its own, which is gone afterwards, and commits it.
  std::vector<std::uint32_t> deliver(const std::vector<std::string>& events, const char* from = "127.0.0.1") {
    BeatPeer peer(receiver.port, from);
    peer.send(lumberjack_window(events));
    return receiver.hear(peer, 1);
  }

  testing::BeatReceiver receiver;
  BeatEvent eight, six{.generation = 6};
};

TEST_F(BeatsResend, AWindowThatIsSentAgainIsAcknowledgedAndNotKept) {
  for (const auto* like : {&eight, &six}) {
    receiver.archived.clear();
    EXPECT_THAT(deliver(lines(*like, "a", 5, 30)), ElementsAre(30U));
    EXPECT_THAT(deliver(lines(*like, "a", 5, 30)), ElementsAre(30U));
    EXPECT_THAT(deliver(lines(*like, "a", 35, 10)), ElementsAre(10U));
    EXPECT_EQ(receiver.messages(), texts("a", 5, 40));
  }
  EXPECT_EQ(receiver.counter("events_resent"), 60);
  EXPECT_EQ(receiver.counter("events_unsure"), 0);
}

TEST_F(BeatsResend, TheOrderOfMembersDoesNotMatter) {
  deliver(lines(eight, "a", 0, 30));
  eight.turned = true;
  deliver(lines(eight, "a", 0, 31));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 31));
}

TEST_F(BeatsResend, WhatIsStillOnItsWayIsAcknowledgedWhenItIsCommitted) {
  BeatPeer first(receiver.port), second(receiver.port);
  first.send(lumberjack_window(lines(eight, "a", 0, 20)));
  receiver.read_until(20);
  second.send(lumberjack_window(lines(eight, "a", 0, 20)));
  receiver.read(20);
  EXPECT_THAT(second.acks(), IsEmpty());
  EXPECT_THAT(receiver.hear(second, 1), ElementsAre(20U));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 20));
}

TEST_F(BeatsResend, OfAWindowThatCameInPartOnlyTheRestIsKept) {
  const std::string window = lumberjack_window(lines(eight, "a", 0, 50));
  {
    BeatPeer peer(receiver.port);
    peer.send(std::string_view(window).substr(0, window.size() / 2));
    receiver.read_until(10);
    receiver.run();
  }
  ASSERT_THAT(receiver.archived, ::testing::Not(IsEmpty()));
  ASSERT_LT(receiver.archived.size(), 50U);
  deliver(lines(eight, "a", 0, 50));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 50));
}

TEST_F(BeatsResend, AReceiverThatWasKilledKnowsWhatItArchived) {
  BeatPeer peer(receiver.port);
  peer.send(lumberjack_window(lines(eight, "a", 0, 100)));
  receiver.hear(peer, 1);
  peer.send(lumberjack_window(lines(eight, "a", 100, 100)));
  receiver.read_until(100);
  receiver.kill();
  EXPECT_EQ(receiver.messages(), texts("a", 0, 100));
  BeatPeer again(receiver.port);
  again.send(lumberjack_window(lines(eight, "a", 0, 100)) + lumberjack_window(lines(eight, "a", 100, 100)));
  EXPECT_THAT(receiver.hear(again, 2), ElementsAre(100U, 100U));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 200));
}

TEST_F(BeatsResend, AProcessThatWasStartedAnewReadsTheSameLinesAtAnotherTime) {
  for (BeatEvent like : {eight, six}) {
    receiver.archived.clear();
    deliver(lines(like, "a", 0, 100));
    deliver(lines(like, "a", 100, 100));
    like.process = "process-2";
    like.millisecond = 5000;
    // It goes on where its registry ends, with windows of other sizes.
    BeatPeer peer(receiver.port);
    for (int first = 100; first < 300; first += 40) peer.send(lumberjack_window(lines(like, "a", first, 40)));
    receiver.hear(peer, 5);
    EXPECT_EQ(receiver.messages(), texts("a", 0, 300)) << like.generation;
  }
}

TEST_F(BeatsResend, AWholeFileIsReadAnewByTheNextProcess) {
  deliver(lines(eight, "a", 0, 100));
  eight.process = "process-2";
  eight.millisecond = 5000;
  deliver(lines(eight, "a", 0, 150));
  eight.path = "/var/log/short.log";
  eight.inode = "7";
  deliver(lines(eight, "short", 0, 3));
  eight.process = "process-3";
  deliver(lines(eight, "short", 0, 5));
  auto wanted = texts("a", 0, 150);
  for (const auto& text : texts("short", 0, 5)) wanted.push_back(text);
  EXPECT_EQ(receiver.messages(), wanted);
  EXPECT_EQ(receiver.counter("events_unsure"), 0);
}

TEST_F(BeatsResend, AnInterruptedResendBeginsWhereAWindowOfItBegan) {
  deliver(lines(eight, "a", 0, 100));
  eight.process = "process-2";
  eight.millisecond = 5000;
  {
    BeatPeer peer(receiver.port);
    peer.send(lumberjack_window(lines(eight, "a", 0, 30)) + lumberjack_window(lines(eight, "a", 30, 30)));
    receiver.hear(peer, 2);
  }
  eight.process = "process-3";
  receiver.kill();
  deliver(lines(eight, "a", 30, 100));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 130));
}

TEST_F(BeatsResend, ANewFileOfTheSameNameIsNew) {
  BeatPeer peer(receiver.port);
  peer.send(lumberjack_window(lines(eight, "old", 0, 100)));
  eight.millisecond = 1000;
  peer.send(lumberjack_window(lines(eight, "new", 0, 50)));
  receiver.hear(peer, 2);
  // And over another connection, after an ordinary loss of this one.
  eight.millisecond = 2000;
  deliver(lines(eight, "third", 0, 50));
  EXPECT_THAT(receiver.archived, SizeIs(200));
  // All of it may come again.
  eight.millisecond = 1000;
  deliver(lines(eight, "new", 0, 50));
  eight.millisecond = 0;
  deliver(lines(eight, "old", 0, 100));
  EXPECT_THAT(receiver.archived, SizeIs(200));
}

TEST_F(BeatsResend, TheSameFirstLinesOfTheNextFileAreKept) {
  for (BeatEvent like : {eight, six}) {
    const auto file = [&](int number, int lines_of_it) {
      std::vector<std::string> out;
      for (int i = 0; i < lines_of_it; ++i) {
        like.offset = static_cast<std::uint64_t>(i) * 50;
        like.message = i < 3 ? fmt::format("# header {}", i) : fmt::format("file {} line {}", number, i);
        out.push_back(like.json());
      }
      return out;
    };
    receiver.archived.clear();
    deliver(file(1, 20));
    like.millisecond += 1000;
    deliver(file(2, 3));
    deliver(file(2, 3));
    like.millisecond += 1000;
    like.process = "process-2";
    deliver(file(3, 10));
    EXPECT_EQ(std::ranges::count(receiver.messages(), "# header 0"), 3) << like.generation;
    EXPECT_THAT(receiver.archived, SizeIs(33));
  }
}

TEST_F(BeatsResend, EqualLinesAtEqualPlacesOfTheNextFileAreKept) {
  BeatPeer peer(receiver.port);
  const auto ticks = [&](int first, int count) {
    auto out = lines(eight, "x", first, count);
    for (auto& json : out) {
      const std::size_t at = json.find("\"message\":\"") + 11;
      json.replace(at, json.find('"', at) - at, "tick");
    }
    return out;
  };
  for (int file = 0; file < 3; ++file) {
    eight.millisecond += 1000;
    for (int first = 0; first < 100; first += 20) peer.send(lumberjack_window(ticks(first, 20)));
    receiver.hear(peer, 5);
  }
  EXPECT_THAT(receiver.archived, SizeIs(300));
}

TEST_F(BeatsResend, FilesAndSendersDoNotTouchEachOther) {
  BeatEvent other = eight, file = eight;
  other.agent = "agent-2";
  file.path = "/var/log/other.log";
  const auto mixed = [&] {
    std::vector<std::string> out;
    const auto a = lines(eight, "a", 1, 40), b = lines(other, "a", 1, 40), c = lines(file, "a", 1, 40);
    for (std::size_t i = 0; i < 40; ++i)
      for (const auto* one : {&a, &b, &c}) out.push_back((*one)[i]);
    return out;
  };
  deliver(mixed());
  EXPECT_THAT(receiver.archived, SizeIs(120));
  deliver(mixed());
  EXPECT_THAT(receiver.archived, SizeIs(120));
}

TEST_F(BeatsResend, ASenderOfAnotherAddressDropsNothingOfOthers) {
  deliver(lines(eight, "a", 0, 40), kElsewhere);
  deliver(lines(eight, "a", 0, 40));
  EXPECT_THAT(receiver.archived, SizeIs(80));
}

TEST_F(BeatsResend, WhatASenderHasLongHeardOfIsForgotten) {
  BeatPeer peer(receiver.port);
  peer.send(lumberjack_window(lines(eight, "a", 0, 40)));
  receiver.hear(peer, 1);
  EXPECT_GT(receiver.states(), 0U);
  receiver.pass(40);
  EXPECT_EQ(receiver.states(), 0U);
  eight.millisecond = 40'000;
  peer.send(lumberjack_window(lines(eight, "a", 40, 40)));
  receiver.hear(peer, 1);
  EXPECT_EQ(receiver.messages(), texts("a", 0, 80));
}

TEST_F(BeatsResend, WhatNobodyHeardOfIsKnownForLong) {
  deliver(lines(eight, "a", 0, 40));
  receiver.pass(3600);
  receiver.kill();
  deliver(lines(eight, "a", 0, 41));
  EXPECT_EQ(receiver.messages(), texts("a", 0, 41));
}

TEST_F(BeatsResend, ManyNamesTakeNothingFromOthersAndHaveABound) {
  deliver(lines(eight, "a", 0, 40));
  BeatPeer hostile(receiver.port, kElsewhere);
  for (int round = 0; round < 12; ++round) {
    std::vector<std::string> events;
    for (int i = 0; i < 2000; ++i) {
      BeatEvent one = eight;
      one.path = fmt::format("/x/{}", round * 2000 + i);
      events.push_back(one.json());
    }
    receiver.bench.clock.moved_ns += 1'000'000'000;
    hostile.send(lumberjack_window(events));
    receiver.hear(hostile, 1);
  }
  receiver.pass(1);
  EXPECT_LE(receiver.states(), 16'384U + 2);
  EXPECT_GT(receiver.counter("resend_states_dropped"), 0);
  deliver(lines(eight, "a", 0, 40));
  EXPECT_EQ(std::ranges::count(receiver.messages(), "a 7"), 1);
}

TEST_F(BeatsResend, EventsOfNoFileAreKeptHoweverOftenTheyCome) {
  const std::vector<std::string> events = {R"({"message":"x"})", "no JSON",
                                           R"({"agent":{"id":"a"},"log":{"offset":1},"message":"y"})"};
  deliver(events);
  deliver(events);
  EXPECT_THAT(receiver.archived, SizeIs(6));
}

}  // namespace
}  // namespace enclave::pipeline
