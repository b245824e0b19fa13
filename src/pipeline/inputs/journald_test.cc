#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <thread>

#include "event/record.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_journald;

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Fields = std::vector<std::pair<std::string, std::string>>;

/// One entry in the journal export format, as systemd-journal-remote takes it.
std::string exported(int number, const Fields& fields) {
  std::string text;
  text += fmt::format("__REALTIME_TIMESTAMP={}\n", 1'700'000'000'000'000 + number);
  text += fmt::format("__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n", number * 1000);
  for (const auto& [name, value] : fields) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value.size() >> (8 * i) & 0xff);
    text += name + "\n" + bytes + value + "\n";
  }
  return text + "\n";
}

class JournaldInput : public ::testing::Test {
 protected:
  JournaldInput() : bench(plugin_journald) {}

  /// A real journal file; what is there already stays in front.
  void write(const std::string& name, const std::string& entries) {
    const std::string file = bench.directory / (name + ".export");
    std::ofstream(file, std::ios::binary | std::ios::trunc) << entries;
    const std::string command = fmt::format("/lib/systemd/systemd-journal-remote -o '{}' '{}' 2>/dev/null >/dev/null",
                                            bench.directory / name, file);
    ASSERT_EQ(std::system(command.c_str()), 0) << "the package systemd-journal-remote is needed";
    std::filesystem::remove(file);
  }
  void read(const std::string& name) { bench.set("paths", testing::list_node({bench.directory / name})); }
  static std::string message(int number, const std::string& text) { return exported(number, {{"MESSAGE", text}}); }

  testing::InputBench bench;
};

TEST_F(JournaldInput, GivesEveryFieldOfAGivenFileAndEnds) {
  const std::string binary("bin\0\xff\nary", 9);
  write("x.journal", exported(1, {{"MESSAGE", "hello"}, {"_PID", "12"}, {"TEXT", "quote\" \\ \n\xc3\xa4"}}) +
                         exported(2, {{"MESSAGE", binary}, {"MANY", "a"}, {"MANY", "b"}, {"BYTES", "\xff\xfe"}}) +
                         exported(3, {{"NOTHING", "to say"}}));
  read("x.journal");
  bench.open();
  EXPECT_EQ(bench.poll(), Input::Polled::end);
  ASSERT_THAT(bench.lines(), ElementsAre("hello", binary, ""));
  EXPECT_EQ(bench.events[0].source, "journal:" + bench.directory / "x.journal");
  EXPECT_EQ(bench.events[0].eol, event::Eol::none);
  const std::string& first = bench.events[0].fields;
  EXPECT_THAT(first, HasSubstr("\"journal\":{\"__REALTIME_TIMESTAMP\":\"1700000000000001\""));
  EXPECT_THAT(first, HasSubstr("\"__MONOTONIC_TIMESTAMP\":\"1000\""));
  EXPECT_THAT(first, HasSubstr("\"_PID\":\"12\""));
  EXPECT_THAT(first, HasSubstr("\"TEXT\":\"quote\\\" \\\\ \\n\xc3\xa4\""));
  EXPECT_THAT(first, HasSubstr("\"_BOOT_ID\":\"0123456789abcdef0123456789abcdef\""));
  EXPECT_THAT(first, ::testing::Not(HasSubstr("MESSAGE")));
  const std::string& second = bench.events[1].fields;
  EXPECT_TRUE(second.find("\"MANY\":[\"a\",\"b\"]") != second.npos ||
              second.find("\"MANY\":[\"b\",\"a\"]") != second.npos)
      << second;
  EXPECT_THAT(second, HasSubstr("\"BYTES\":{\"b64\":\"//4=\"}"));
  EXPECT_THAT(bench.events[0].position, HasSubstr(";i=1;"));
  EXPECT_EQ(bench.positions.states.begin()->second, bench.events[2].position);
}

TEST_F(JournaldInput, GoesOnBehindItsCursor) {
  write("x.journal", message(1, "one") + message(2, "two"));
  read("x.journal");
  bench.open();
  bench.poll();
  bench.restart();
  bench.poll();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  write("x.journal", message(3, "three"));
  bench.restart();
  bench.poll();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(JournaldInput, ReadsInPortionsWithoutRepeating) {
  std::string entries;
  for (int i = 0; i < 200; ++i) entries += message(i + 1, std::to_string(i));
  write("x.journal", entries);
  read("x.journal");
  bench.open();
  while (bench.poll(100) == Input::Polled::more) {
    if (bench.events.size() % 50 == 25) bench.restart();
  }
  ASSERT_THAT(bench.events, SizeIs(200));
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(bench.events[i].raw, std::to_string(i));
}

TEST_F(JournaldInput, FollowsADirectoryThroughRotation) {
  std::filesystem::create_directories(bench.directory / "j");
  write("j/a.journal", message(1, "one"));
  read("j");
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one"));
  EXPECT_THAT(bench.input->descriptors(), SizeIs(1));
  write("j/a.journal", message(2, "two"));
  bench.run(6);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  testing::rename(bench.directory / "j/a.journal", bench.directory / "j/a@1.journal");
  write("j/a.journal", message(3, "three"));
  bench.run(6);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
  bench.restart();
  bench.run(6);
  EXPECT_THAT(bench.lines(), SizeIs(3));
}

TEST_F(JournaldInput, SaysSoWhenTheEntryOfItsCursorIsGone) {
  std::filesystem::create_directories(bench.directory / "j");
  write("j/a.journal", message(1, "one") + message(2, "two"));
  read("j");
  bench.run();
  bench.close();
  testing::remove(bench.directory / "j/a.journal");
  write("j/b.journal", message(3, "three"));
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
  ASSERT_THAT(bench.lost, SizeIs(1));
  EXPECT_EQ(bench.lost.begin()->second, 1U);
  EXPECT_THAT(bench.log.troubles, SizeIs(1));
}

TEST_F(JournaldInput, CanBeginAtTheTailAndStillMissesNothingBetweenStarts) {
  std::filesystem::create_directories(bench.directory / "j");
  write("j/a.journal", message(1, "old"));
  read("j");
  bench.set("seek", "tail");
  bench.run();
  bench.close();
  write("j/a.journal", message(2, "new"));
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("new"));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(JournaldInput, ChoosesByFieldsAndUnits) {
  write("x.journal",
        exported(1, {{"MESSAGE", "ssh"}, {"_SYSTEMD_UNIT", "ssh.service"}, {"PRIORITY", "6"}}) +
            exported(2, {{"MESSAGE", "cron"}, {"_SYSTEMD_UNIT", "cron.service"}, {"PRIORITY", "6"}}) +
            exported(3, {{"MESSAGE", "about"}, {"_PID", "1"}, {"UNIT", "ssh.service"}, {"PRIORITY", "3"}}) +
            exported(4, {{"MESSAGE", "fake"}, {"_PID", "7"}, {"UNIT", "ssh.service"}, {"PRIORITY", "3"}}));
  read("x.journal");
  bench.set("units", testing::list_node({"ssh.service"}));
  bench.open();
  bench.poll();
  EXPECT_THAT(bench.lines(), ElementsAre("ssh", "about"));

  bench.positions.states.clear();
  bench.events.clear();
  bench.set("include_matches", testing::list_node({"PRIORITY=3", "PRIORITY=2"}));
  bench.restart();
  bench.poll();
  EXPECT_THAT(bench.lines(), ElementsAre("about"));
}

TEST_F(JournaldInput, KeepsLongFieldsWholeUpToItsOwnLimit) {
  const std::string megabyte(1 << 20, 'm');
  std::string huge(17 << 20, 'h');
  write("x.journal", exported(1, {{"MESSAGE", megabyte}, {"FIELD", megabyte}}) + exported(2, {{"MESSAGE", huge}}));
  read("x.journal");
  bench.open();
  while (bench.poll() == Input::Polled::more) continue;
  ASSERT_THAT(bench.events, SizeIs(2));
  EXPECT_EQ(bench.events[0].raw, megabyte);
  EXPECT_THAT(bench.events[0].fields, HasSubstr("\"FIELD\":\"" + megabyte + "\""));
  EXPECT_EQ(bench.events[1].raw.size(), 16U << 20);
  EXPECT_EQ(bench.events[1].cut_bytes, 1U << 20);
  EXPECT_EQ(bench.log.counters["fields_cut"], 1);
}

TEST_F(JournaldInput, SaysOnceThatAJournalIsMissingAndReadsItWhenItComes) {
  read("x.journal");
  bench.run(25);
  EXPECT_THAT(bench.log.troubles, SizeIs(1));
  write("x.journal", message(1, "one"));
  bench.clock.moved_ns += 11'000'000'000;
  bench.poll();
  EXPECT_THAT(bench.lines(), ElementsAre("one"));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(JournaldInput, DoesNotFailOnAFileThatIsNoJournal) {
  testing::append(bench.directory / "x.journal", "not a journal at all");
  read("x.journal");
  bench.run(25);
  EXPECT_THAT(bench.log.troubles, SizeIs(1));
  EXPECT_THAT(bench.events, IsEmpty());
}

TEST_F(JournaldInput, SurvivesDamagedJournalFiles) {
  std::string entries;
  for (int i = 0; i < 50; ++i) entries += exported(i + 1, {{"MESSAGE", std::to_string(i)}, {"N", std::to_string(i)}});
  write("good.journal", entries);
  std::ifstream file(bench.directory / "good.journal", std::ios::binary);
  std::string good(64 << 10, '\0');
  file.read(good.data(), static_cast<std::streamsize>(good.size()));
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::string bad = good;
    unsigned state = seed * 2654435761U;
    for (int i = 0; i < 20; ++i) {
      state = state * 1664525U + 1013904223U;
      bad[state % bad.size()] = static_cast<char>(state >> 24);
    }
    std::filesystem::copy_file(bench.directory / "good.journal", bench.directory / "bad.journal",
                               std::filesystem::copy_options::overwrite_existing);
    {
      std::fstream damaged(bench.directory / "bad.journal", std::ios::binary | std::ios::in | std::ios::out);
      damaged.write(bad.data(), static_cast<std::streamsize>(bad.size()));
    }
    testing::InputBench other(plugin_journald);
    other.set("paths", testing::list_node({bench.directory / "bad.journal"}));
    other.run(60);
    EXPECT_LE(other.events.size(), 200U);
  }
}

TEST_F(JournaldInput, TakesAMachineWithoutJournalAsTroubleNotAsAnError) {
  bench.run(1);  // reads the journal of this machine, if it has one
  EXPECT_TRUE(!bench.events.empty() || bench.log.troubles.contains("journal") || !bench.input->descriptors().empty());
}

/// A real systemd-journald in a mount namespace of its own, whose /run is a directory of the test.
class LiveJournald {
 public:
  explicit LiveJournald(const std::string& run) : run_(run) {
    std::filesystem::create_directories(run + "/systemd/journal");
    pid_ = ::fork();
    if (pid_ != 0) return;
    const std::string script = "mount --bind '" + run + "' /run && exec /lib/systemd/systemd-journald >/dev/null 2>&1";
    ::execlp("unshare", "unshare", "-m", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  ~LiveJournald() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  LiveJournald(const LiveJournald&) = delete;
  LiveJournald& operator=(const LiveJournald&) = delete;

  /// The native protocol: one datagram is one entry. False while nobody listens.
  bool send(const std::string& datagram) const {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = run_ + "/systemd/journal/socket";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const bool sent =
        ::sendto(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                 sizeof address) == static_cast<ssize_t>(datagram.size());
    ::close(fd);
    return sent;
  }
  std::string directory() const {
    for (const auto& entry : std::filesystem::directory_iterator(run_ + "/log/journal")) return entry.path();
    return {};
  }

 private:
  std::string run_;
  pid_t pid_ = -1;
};

bool wait_for(const std::function<bool()>& done) {
  for (int i = 0; i < 1000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

TEST_F(JournaldInput, FollowsALiveJournald) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give systemd-journald a /run of its own";
  const LiveJournald journald(bench.directory / "run");
  ASSERT_TRUE(wait_for([&] { return journald.send("MESSAGE=first\nTAG=enclave-test\n"); }));
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(bench.directory / "run/log/journal"); }));
  ASSERT_TRUE(wait_for([&] { return !journald.directory().empty(); }));
  bench.set("paths", testing::list_node({journald.directory()}));
  bench.set("include_matches", testing::list_node({"TAG=enclave-test"}));
  const auto arrived = [&](std::size_t count) {
    return wait_for([&] {
      bench.run();
      return bench.events.size() >= count;
    });
  };
  ASSERT_TRUE(arrived(1));
  ASSERT_THAT(bench.input->descriptors(), SizeIs(1));
  const std::string binary("a\0b\xff\nc", 6);
  ASSERT_TRUE(journald.send(std::string("MESSAGE\n\6\0\0\0\0\0\0\0", 16) + binary + "\nTAG=enclave-test\n"));
  ASSERT_TRUE(arrived(2));
  bench.close();
  ASSERT_TRUE(journald.send("MESSAGE=while away\nTAG=enclave-test\n"));
  ASSERT_TRUE(arrived(3));
  EXPECT_THAT(bench.lines(), ElementsAre("first", binary, "while away"));
  EXPECT_THAT(bench.events[2].fields, HasSubstr(fmt::format("\"_PID\":\"{}\"", ::getpid())));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(JournaldInput, TellsMistakesOfItsConfiguration) {
  Diagnostics diagnostics;
  bench.set("seek", "middle");
  bench.set("include_matches", testing::list_node({"priority=3", "NOTHING"}));
  plugin_journald.check(bench.config, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 3U) << diagnostics.text();
}

}  // namespace
}  // namespace enclave::pipeline
