#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "io/listener.h"
#include "pipeline/input_bench.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/logstash/zones.h"
#include "pipeline/sincedb.h"
#include "pipeline/source.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// A source from its configuration, opened, and what its events become.
class Bench {
 public:
  Bench() : zones_(io::real_files()), lookup_(zones_.lookup()), world_{io::real_files(), lookup_} {
    world_.ecs_compatibility = "disabled";
  }
  void make(const std::string& text) {
    Diagnostics diagnostics;
    parse_config("input { " + text + " }\n", "x.conf", {}, configuration_, diagnostics);
    const auto& plugin = std::get<logstash::Plugin>(configuration_.inputs.at(0));
    for (const SourcePlugin* card : source_plugins()) {
      if (card->name != plugin.name) continue;
      logstash::PluginOptions options(configuration_, plugin, diagnostics);
      choice_ = CodecChoice(options, card->codec, world_);
      source = card->make(options, world_);
    }
    ASSERT_TRUE(source && choice_) << diagnostics.text();
    codec_ = choice_.make();
  }
  void open() {
    auto opened = source->open({{clock, io::real_files(), io::real_random()}, positions, log});
    ASSERT_TRUE(opened) << opened.error().text();
    input = std::move(*opened);
  }
  /// One reading; not committed.
  Input::Polled poll(event::Batch& batch) {
    const auto polled = input->poll(batch, 1 << 20);
    EXPECT_TRUE(polled);
    event::Arena arena;
    std::vector<event::Document> documents;
    for (const auto& event : batch.events) source->make(batch, event, arena, *codec_, run_, documents);
    for (const auto& document : documents) {
      const auto* const message = document.find("message");
      messages.emplace_back(message == nullptr ? "" : message->text());
    }
    return *polled;
  }
  void poll_and_commit() {
    event::Batch batch;
    poll(batch);
    if (!batch.empty()) input->committed(batch);
  }

  testing::TempDirectory directory;
  testing::TestClock clock;
  testing::TestPositions positions;
  testing::TestLog log;
  std::unique_ptr<Source> source;
  std::unique_ptr<Input> input;
  std::vector<std::string> messages;

 private:
  logstash::SystemZones zones_;
  logstash::ZoneLookup lookup_;
  FilterWorld world_;
  logstash::Configuration configuration_;
  CodecChoice choice_;
  std::unique_ptr<Codec> codec_;
  FilterRun run_;
};

std::uint64_t inode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0);
  return found.st_ino;
}

TEST(FileSource, GoesOnWhereTheSincedbOfLogstashStands) {
  Bench bench;
  const std::string path = bench.directory / "a.log", other = bench.directory / "b.log";
  testing::append(path, "one\ntwo\n");
  testing::append(other, "three\n");
  testing::append(bench.directory / "sincedb", fmt::format("{} 0 2049 4 1700000000.5 {}\n", inode_of(path), path));
  bench.make(fmt::format("file {{ path => \"{}\" sincedb_path => \"{}\" start_position => beginning }}",
                         bench.directory / "*.log", bench.directory / "sincedb"));
  bench.open();
  bench.poll_and_commit();
  EXPECT_THAT(bench.messages, ::testing::UnorderedElementsAre("two", "three"));
}

TEST(FileSource, BeginsAtTheEndUnlessToldOtherwise) {
  Bench bench;
  testing::append(bench.directory / "a.log", "old\n");
  bench.make(fmt::format("file {{ path => \"{}\" }}", bench.directory / "*.log"));
  bench.open();
  bench.poll_and_commit();
  EXPECT_THAT(bench.messages, IsEmpty());
  testing::append(bench.directory / "a.log", "new\n");
  bench.clock.moved_ns += 30'000'000'000;
  bench.poll_and_commit();
  EXPECT_THAT(bench.messages, ElementsAre("new"));
}

TEST(Sincedb, OldAndDamagedLinesAreCountedAndOthersRead) {
  const auto found = parse_sincedb("12 0 2049 77 1700000000.5 /var/log/a b.log\n13 0 2049 5\nx\n\n14 0 1 9 1.0 rel\n");
  ASSERT_THAT(found.entries, SizeIs(1));
  EXPECT_EQ(found.entries[0].inode, 12U);
  EXPECT_EQ(found.entries[0].offset, 77U);
  EXPECT_EQ(found.entries[0].path, "/var/log/a b.log");
  EXPECT_EQ(found.unread, 3U);
}

TEST(GeneratorSource, GivesItsLinesSoManyTimes) {
  Bench bench;
  bench.make("generator { lines => [\"a\", \"b\"] count => 2 }");
  bench.open();
  event::Batch batch;
  EXPECT_EQ(bench.poll(batch), Input::Polled::end);
  EXPECT_THAT(bench.messages, ElementsAre("a", "b", "a", "b"));
  EXPECT_EQ(batch.sources[0].to, "4");
}

TEST(HeartbeatSource, GivesOneEventAtOnceAndOneEachInterval) {
  Bench bench;
  bench.make("heartbeat { interval => 10 count => 2 message => \"here\" }");
  bench.open();
  event::Batch batch;
  EXPECT_EQ(bench.poll(batch), Input::Polled::idle);
  EXPECT_THAT(bench.messages, ElementsAre("here"));
  EXPECT_EQ(bench.input->next_poll_boot_ns(), bench.clock.boot_ns() + 10'000'000'000);
  bench.clock.moved_ns += 10'000'000'000;
  batch.clear();
  EXPECT_EQ(bench.poll(batch), Input::Polled::end);
  EXPECT_THAT(bench.messages, ElementsAre("here", "here"));
}

std::uint16_t free_port() { return io::Listener::open({}).value()->port(); }

/// Sends `bytes` to a port of this machine and stays connected.
io::Descriptor sent_to(std::uint16_t port, std::string_view bytes, int type = SOCK_STREAM) {
  io::Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  return socket;
}

std::string answer_on(const io::Descriptor& socket) {
  std::string all(2000, '\0');
  const auto got = ::recv(socket.get(), all.data(), all.size(), MSG_DONTWAIT);
  return all.substr(0, got < 0 ? 0 : static_cast<std::size_t>(got));
}

TEST(HttpSource, AnswersARequestWhenItsEventIsSafeAndNotBefore) {
  Bench bench;
  const std::uint16_t port = free_port();
  bench.make(fmt::format("http {{ host => \"127.0.0.1\" port => {} response_code => 202 }}", port));
  bench.open();
  const auto client = sent_to(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  event::Batch batch;
  for (int i = 0; i < 5000 && batch.empty(); ++i) bench.poll(batch), ::usleep(1000);
  EXPECT_THAT(bench.messages, ElementsAre("hello"));
  event::Batch none;
  for (int i = 0; i < 10; ++i) bench.poll(none);
  EXPECT_EQ(answer_on(client), "");
  EXPECT_EQ(bench.input->finish(none, 1000).value(), Input::Polled::more);
  bench.input->committed(batch);
  EXPECT_EQ(bench.input->finish(none, 1000).value(), Input::Polled::end);
  std::string answer;
  for (int i = 0; i < 5000 && answer.empty(); ++i) {
    bench.poll(none);
    answer = answer_on(client);
    ::usleep(1000);
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 202"));
}

TEST(SyslogSource, TakesBothProtocolsOnOnePort) {
  Bench bench;
  const std::uint16_t port = free_port();
  bench.make(fmt::format("syslog {{ host => \"127.0.0.1\" port => {} }}", port));
  bench.open();
  const auto tcp = sent_to(port, "<13>Nov 23 09:26:33 h a: by tcp\n30 <13>Nov 23 09:26:33 h a: count");
  for (int i = 0; i < 5000 && bench.messages.size() < 2; ++i) bench.poll_and_commit(), ::usleep(1000);
  const auto udp = sent_to(port, "<13>Nov 23 09:26:33 h a: by udp", SOCK_DGRAM);
  for (int i = 0; i < 5000 && bench.messages.size() < 3; ++i) bench.poll_and_commit(), ::usleep(1000);
  EXPECT_THAT(bench.messages, ElementsAre("by tcp", "count", "by udp"));
  EXPECT_EQ(bench.input->descriptors().size(), 2U);
}

/// Runs beside the test, which polls meanwhile; ends with it.
class Running {
 public:
  explicit Running(const std::string& command) : pipe_(::popen(command.c_str(), "w")) {}
  ~Running() { ::pclose(pipe_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  FILE* pipe_;
};

class TlsSources : public ::testing::Test {
 protected:
  TlsSources() {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2 "
        "-keyout '{0}/key.pem' -out '{0}/cert.pem' 2>'{0}/log'",
        bench.directory.path());
    EXPECT_EQ(std::system(command.c_str()), 0);
    tls = fmt::format(
        "host => \"127.0.0.1\" port => {0} ssl_enabled => true ssl_certificate => \"{1}/cert.pem\" "
        "ssl_key => \"{1}/key.pem\"",
        port, bench.directory.path());
  }
  void wait() {
    for (int i = 0; i < 10'000 && bench.messages.empty(); ++i) bench.poll_and_commit(), ::usleep(1000);
  }
  Bench bench;
  const std::uint16_t port = free_port();
  std::string tls;
};

TEST_F(TlsSources, LinesComeOverTls) {
  bench.make("tcp { " + tls + " }");
  bench.open();
  const Running client(
      fmt::format("(echo hello; sleep 0.2) | openssl s_client -connect 127.0.0.1:{} -quiet 2>'{}/log' "
                  ">'{}/out'",
                  port, bench.directory.path(), bench.directory.path()));
  wait();
  EXPECT_THAT(bench.messages, ElementsAre("hello"));
  const auto plain = sent_to(port, "not TLS\n");
  for (int i = 0; i < 5000 && bench.log.counters["connections_broken"] == 0; ++i)
    bench.poll_and_commit(), ::usleep(1000);
  EXPECT_THAT(bench.messages, SizeIs(1));
  bench.input.reset();  // the client ends when its connection does
}

TEST_F(TlsSources, RequestsComeOverTls) {
  bench.make("http { " + tls + " }");
  bench.open();
  const Running client(fmt::format("curl -sk --max-time 10 -d hello https://127.0.0.1:{}/ >'{}/out' 2>&1", port,
                                   bench.directory.path()));
  wait();
  EXPECT_THAT(bench.messages, ElementsAre("hello"));
  for (int i = 0; i < 200; ++i) bench.poll_and_commit(), ::usleep(1000);
}

}  // namespace
}  // namespace enclave::pipeline
