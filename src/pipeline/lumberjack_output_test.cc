#include "pipeline/lumberjack_output.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "event/lumberjack.h"
#include "io/listener.h"
#include "io/system.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline {

extern const InputPlugin plugin_beats;

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using ::testing::AnyOf;
using ::testing::HasSubstr;

/// As TestLog, for threads.
class SafeLog final : public InputLog {
 public:
  void trouble(std::string_view, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    said_ += std::string(text) + "\n";
  }
  void resolved(std::string_view) override {}
  void count(std::string_view, std::int64_t) override {}
  std::string said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }

 private:
  std::mutex mutex_;
  std::string said_;
};

class NoDeadLetters final : public DeadLetters {
 public:
  Result<void> add(std::string_view, const Refused&) override { return {}; }
};

/// How a receiver treats one connection.
struct Manners {
  std::size_t cut_after = SIZE_MAX;  ///< bytes that it reads before it hangs up
  std::uint32_t partial_every = 0;   ///< acknowledges each so many events too
  bool silent = false;               ///< never acknowledges
  int keepalives = 0;                ///< sent before each acknowledgement
  bool too_high = false;             ///< acknowledges more than there is
  bool politely = false;             ///< reads what still comes after it hung up: no acknowledgement is lost
};

/// A receiver, one connection after the other; the last manners stay.
class Receiver {
 public:
  explicit Receiver(std::vector<Manners> manners = {Manners{}}) : manners_(std::move(manners)) {
    socket_ = io::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof at;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(socket_.get(), 16), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &bytes), 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    stop_ = true;
    thread_.join();
  }
  io::Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  std::multiset<std::string> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::size_t connections() const { return connections_; }

 private:
  bool wait(int descriptor) const {
    while (!stop_) {
      pollfd one{descriptor, POLLIN, 0};
      if (::poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }
  void run() {
    while (wait(socket_.get())) {
      const io::Descriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      converse(peer.get(), manners_[std::min<std::size_t>(connections_, manners_.size() - 1)]);
      ++connections_;
    }
  }
  static void send(int peer, std::uint32_t sequence) {
    std::string ack;
    event::append_lumberjack_ack(ack, '2', sequence);
    (void)!::send(peer, ack.data(), ack.size(), MSG_NOSIGNAL);
  }
  void converse(int peer, const Manners& manners) {
    event::LumberjackDecoder decoder;
    std::size_t left = manners.cut_after;
    std::uint32_t count = 0;
    while (left > 0 && wait(peer)) {
      std::array<char, 3000> piece;
      const auto got = ::recv(peer, piece.data(), std::min(piece.size(), left), 0);
      if (got <= 0) return;
      left -= static_cast<std::size_t>(got);
      decoder.feed({piece.data(), static_cast<std::size_t>(got)});
      for (;;) {
        const auto item = decoder.next();
        ASSERT_TRUE(item) << item.error().text();
        if (!*item) break;
        if ((*item)->is_event) take((*item)->json), ++count;
        if (manners.silent) continue;
        for (int i = 0; (*item)->ends_window && i < manners.keepalives; ++i) send(peer, 0);
        if (manners.too_high) send(peer, 1'000'000);
        if ((*item)->ends_window) {
          EXPECT_EQ((*item)->ack, count);
          count = 0;
          send(peer, (*item)->ack);
        } else if (manners.partial_every > 0 && count % manners.partial_every == 0) {
          send(peer, count);
        }
      }
    }
    if (!manners.politely) return;
    ::shutdown(peer, SHUT_WR);
    std::array<char, 3000> rest;
    while (wait(peer) && ::recv(peer, rest.data(), rest.size(), 0) > 0) continue;
  }
  void take(std::string_view json) {
    const std::lock_guard lock(mutex_);
    events_.emplace(json);
  }

  const std::vector<Manners> manners_;
  io::Descriptor socket_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> connections_ = 0;
  std::mutex mutex_;
  std::multiset<std::string> events_;
  std::thread thread_;
};

/// An output and the worker that feeds it.
class Shipper {
 public:
  explicit Shipper(LumberjackOptions options) {
    options.backoff_init = 1ms;
    options.backoff_max = 5ms;
    output_ = make_lumberjack_output(std::move(options));
    opened_ = output_->open({world_, log, stopping, letters_, "output", "/nonexistent"});
    packer_ = output_->packer();
  }
  void ship(std::size_t events, std::size_t padding = 10) {
    event::Arena arena;
    std::vector<event::Document> documents;
    std::string text;
    for (std::size_t i = 0; i < events; ++i) {
      auto& one = documents.emplace_back(arena);
      text = fmt::format("{} {}", next_++, std::string(padding, 'x'));
      one.set("message", event::Value::of(arena.store(text)));
      std::string json;
      append_json(one.root(), json);
      sent.insert(json);
    }
    Parcel parcel;
    FilterRun run;
    packer_->pack({}, documents, run, parcel);
    packer_->end(parcel);
    ASSERT_TRUE(output_->deliver(parcel, ++ticket));
  }
  bool settled_within(Nanoseconds time) {
    const std::int64_t until = io::real_clock().boot_ns() + time.count();
    while (io::real_clock().boot_ns() < until) {
      if (*output_->settle(false) == ticket) return true;
      ::usleep(1000);
    }
    return false;
  }
  bool all_settled() { return settled_within(60s); }
  Output& output() { return *output_; }
  const Result<void>& opened() const { return opened_; }

  SafeLog log;
  std::atomic<bool> stopping = false;
  std::uint64_t ticket = 0;
  std::multiset<std::string> sent;

 private:
  World world_{io::real_clock(), io::real_files(), io::real_random()};
  NoDeadLetters letters_;
  std::unique_ptr<Output> output_;
  Result<void> opened_;
  std::unique_ptr<Packer> packer_;
  std::size_t next_ = 0;
};

LumberjackOptions to(const std::vector<io::Endpoint>& hosts) {
  LumberjackOptions options;
  options.hosts = hosts;
  return options;
}

std::set<std::string> once(const std::multiset<std::string>& events) { return {events.begin(), events.end()}; }

TEST(LumberjackOutput, SendsEveryEventOnceAndSettlesWhatIsAcknowledged) {
  for (const int level : {0, 3}) {
    Receiver receiver(std::vector<Manners>{{.keepalives = 3}});
    LumberjackOptions options = to({receiver.endpoint()});
    options.compression_level = level;
    options.window_events = 7;
    Shipper shipper(std::move(options));
    for (const std::size_t events : {1U, 0U, 6U, 7U, 8U, 100U}) shipper.ship(events);
    ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
    EXPECT_EQ(receiver.events(), shipper.sent);
    EXPECT_EQ(receiver.connections(), 0U) << "the first connection still stands";
  }
}

TEST(LumberjackOutput, LargeAndRepetitiveEventsStayWithinWhatReceiversAllow) {
  Receiver receiver;
  Shipper shipper(to({receiver.endpoint()}));
  shipper.ship(3, 3 << 20);
  shipper.ship(100, 50'000);
  shipper.ship(4000, 1);
  ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
  EXPECT_EQ(receiver.events(), shipper.sent);
}

TEST(LumberjackOutput, ACutAtAnyByteLosesNothing) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (const int level : {0, 3}) {
    std::vector<Manners> manners;
    for (std::size_t i = 0; i < 60; ++i) manners.push_back({.cut_after = 1 + i, .partial_every = 2});
    for (std::size_t i = 0; i < 60; ++i) manners.push_back({.cut_after = 1 + random() % 3000, .partial_every = 2});
    manners.push_back({});
    Receiver receiver(manners);
    LumberjackOptions options = to({receiver.endpoint()});
    options.compression_level = level;
    options.window_events = 10;
    Shipper shipper(std::move(options));
    for (int i = 0; i < 40; ++i) shipper.ship(25);
    ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
    EXPECT_EQ(once(receiver.events()), once(shipper.sent));
  }
}

TEST(LumberjackOutput, WhatWasAcknowledgedInPartIsNotSentAgain) {
  // One window only, so what is read before the cut is acknowledged but for the last event.
  Receiver receiver({{.cut_after = 100 * 36 / 2, .partial_every = 1, .politely = true}, {}});
  LumberjackOptions options = to({receiver.endpoint()});
  options.compression_level = 0;
  options.pipelining = 0;
  Shipper shipper(std::move(options));
  shipper.ship(100);
  ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
  const auto events = receiver.events();
  EXPECT_EQ(once(events), once(shipper.sent));
  EXPECT_LE(events.size(), 110U);
}

TEST(LumberjackOutput, ASilentReceiverIsLeftAfterTheTimeout) {
  Receiver silent({{.silent = true}, {}});
  LumberjackOptions options = to({silent.endpoint()});
  options.timeout = 300ms;
  Shipper shipper(std::move(options));
  shipper.ship(10);
  ASSERT_TRUE(shipper.all_settled());
  EXPECT_THAT(shipper.log.said(), HasSubstr("no sign of life for 300ms; what was not acknowledged is sent again"));
}

TEST(LumberjackOutput, AnAcknowledgementOfMoreThanThereWasIsNotBelieved) {
  Receiver liar({{.too_high = true}, {}});
  Shipper shipper(to({liar.endpoint()}));
  shipper.ship(10);
  ASSERT_TRUE(shipper.all_settled());
  EXPECT_THAT(shipper.log.said(), HasSubstr("an acknowledgement of 1000000 in a window of 10 events"));
}

TEST(LumberjackOutput, GoesOnWithTheOtherHostWhenOneDies) {
  for (const bool balance : {false, true}) {
    auto dying = std::make_unique<Receiver>(std::vector<Manners>{{.cut_after = 500}, {.cut_after = 1}});
    Receiver good;
    LumberjackOptions options = to({dying->endpoint(), good.endpoint()});
    options.load_balance = balance;
    options.window_events = 5;
    Shipper shipper(std::move(options));
    for (int i = 0; i < 50; ++i) shipper.ship(20);
    auto seen = dying->events();
    dying.reset();
    for (int i = 0; i < 50; ++i) shipper.ship(20);
    ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
    seen.merge(good.events());
    EXPECT_EQ(once(seen), once(shipper.sent)) << "balance " << balance;
  }
}

TEST(LumberjackOutput, BalancedHostsShareTheWindows) {
  Receiver one, two;
  LumberjackOptions options = to({one.endpoint(), two.endpoint()});
  options.load_balance = true;
  options.window_events = 5;
  Shipper shipper(std::move(options));
  for (int i = 0; i < 1000 && (one.events().empty() || two.events().empty()); ++i) shipper.ship(100);
  ASSERT_TRUE(shipper.all_settled());
  EXPECT_FALSE(one.events().empty());
  EXPECT_FALSE(two.events().empty());
  EXPECT_EQ(one.events().size() + two.events().size(), shipper.sent.size());
}

TEST(LumberjackOutput, StartsSlowlyWhenAskedTo) {
  Receiver receiver;
  LumberjackOptions options = to({receiver.endpoint()});
  options.slow_start = true;
  Shipper shipper(std::move(options));
  for (int i = 0; i < 20; ++i) shipper.ship(100);
  ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
  EXPECT_EQ(receiver.events(), shipper.sent);
}

TEST(LumberjackOutput, StoppingEndsTheWaitForAHostThatIsAway) {
  io::Endpoint nobody;
  { nobody = Receiver().endpoint(); }
  Shipper shipper(to({nobody}));
  shipper.ship(10);
  shipper.stopping = true;
  EXPECT_EQ(shipper.output().settle(true).value(), 0U);
  EXPECT_THAT(shipper.log.said(), AnyOf("", HasSubstr("Connection refused")));
}

/// Certificates of two authorities, made by OpenSSL's own tool.
class LumberjackTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    place = std::make_unique<testing::TempDirectory>();
    for (const std::string ca : {"ca", "other"}) {
      tool(
          fmt::format("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={0} -keyout "
                      "{0}.key -out {0}.pem",
                      ca));
    }
    for (const auto& [name, alt] :
         {std::pair{"server", "IP:127.0.0.1,DNS:localhost"}, {"stranger", "DNS:example.org"}, {"client", "DNS:me"}}) {
      tool(
          fmt::format("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={0} -keyout {0}.key -out "
                      "{0}.csr",
                      name));
      testing::append(*place / (std::string(name) + ".ext"), fmt::format("subjectAltName={}", alt));
      tool(
          fmt::format("x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -days 2 -CAcreateserial -extfile {0}.ext -out "
                      "{0}.pem",
                      name));
    }
  }
  static void TearDownTestSuite() { place.reset(); }
  static void tool(const std::string& arguments) {
    const auto command = fmt::format("cd {} && openssl {} 2>/dev/null", place->path(), arguments);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  /// Our own receiver, polled by a thread.
  void serve(const std::string& certificate, bool wants_client) {
    { port_ = io::Listener::open({}).value()->port(); }
    bench_.set("port", std::to_string(port_));
    bench_.set("ssl_enabled", "true");
    bench_.set("ssl_certificate", *place / (certificate + ".pem"));
    bench_.set("ssl_key", *place / (certificate + ".key"));
    if (wants_client) {
      bench_.set("ssl_client_authentication", "required");
      bench_.set("ssl_certificate_authorities", *place / "ca.pem");
    }
    bench_.open();
    thread_ = std::thread([this] {
      while (!stop_) bench_.poll(), ::usleep(500);
    });
  }
  void TearDown() override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  static LumberjackOptions options(std::uint16_t port) {
    LumberjackOptions out = to({{"127.0.0.1", port}});
    out.tls = io::TlsClientOptions{{*place / "ca.pem"}, "", "", io::VerifyServer::full};
    return out;
  }
  void refuses(LumberjackOptions given, std::string_view why) {
    Shipper shipper(std::move(given));
    shipper.ship(10);
    for (int i = 0; i < 6000 && shipper.log.said().find(why) == std::string::npos; ++i) ::usleep(10'000);
    EXPECT_EQ(shipper.output().settle(false).value(), 0U);
    EXPECT_THAT(shipper.log.said(), HasSubstr(std::string(why)));
    shipper.stopping = true;
  }

  static std::unique_ptr<testing::TempDirectory> place;
  testing::InputBench bench_{plugin_beats};
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};
std::unique_ptr<testing::TempDirectory> LumberjackTls::place;

TEST_F(LumberjackTls, ShipsToWhoShowsAGoodCertificate) {
  serve("server", true);
  LumberjackOptions given = options(port_);
  given.tls->certificate = *place / "client.pem";
  given.tls->key = *place / "client.key";
  given.window_events = 50;
  {
    Shipper shipper(given);
    for (int i = 0; i < 20; ++i) shipper.ship(300, 500);
    ASSERT_TRUE(shipper.all_settled()) << shipper.log.said();
  }
  TearDown();
  EXPECT_EQ(bench_.events.size(), 6000U);
}

TEST_F(LumberjackTls, RefusesAServerOfAnotherAuthority) {
  serve("server", false);
  LumberjackOptions given = options(port_);
  given.tls->authorities = {*place / "other.pem"};
  refuses(given, "does not show a certificate that can be trusted");
}

TEST_F(LumberjackTls, RefusesAServerOfAnotherNameUnlessToldNotToLook) {
  serve("stranger", false);
  LumberjackOptions given = options(port_);
  refuses(given, "IP address mismatch");
  given.tls->verify = io::VerifyServer::certificate;
  Shipper shipper(given);
  shipper.ship(10);
  EXPECT_TRUE(shipper.all_settled()) << shipper.log.said();
}

TEST_F(LumberjackTls, IsRefusedWithoutTheCertificateThatTheServerWants) {
  serve("server", true);
  refuses(options(port_), "certificate required");
}

TEST_F(LumberjackTls, SaysWhichFileIsNotWhatItShouldBe) {
  LumberjackOptions given = to({{"127.0.0.1", 1}});
  given.tls = io::TlsClientOptions{{*place / "server.key"}, "", "", io::VerifyServer::full};
  const Shipper shipper(given);
  ASSERT_FALSE(shipper.opened());
  EXPECT_THAT(shipper.opened().error().text(), HasSubstr("server.key: no certificate (PEM) of an authority"));
}

TEST(LumberjackEndpoints, AreReadInEveryForm) {
  const auto read = [](std::string_view text) {
    const auto endpoint = io::parse_endpoint(text, 5044);
    return endpoint ? endpoint->text() : "refused";
  };
  EXPECT_EQ(read("logs.example"), "logs.example:5044");
  EXPECT_EQ(read("logs.example:1"), "logs.example:1");
  EXPECT_EQ(read("[2001:db8::1]:9"), "[2001:db8::1]:9");
  EXPECT_EQ(read("2001:db8::1"), "[2001:db8::1]:5044");
  for (const auto* wrong : {"", ":5044", "a:", "a:x", "a:70000", "a:0", "[::1", "[::1]x", "http://a:1", "a b"})
    EXPECT_EQ(read(wrong), "refused") << wrong;
}

}  // namespace
}  // namespace enclave::pipeline
