// bench_corpus BYTES SEED PATH: log lines as nginx, sshd, sudo and the OpenStack API services write them.
// bench_corpus BYTES SEED DIRECTORY FILES: the same in that many files. bench_corpus --noise …: lines that do not
// compress. bench_corpus --only nginx …: lines of nginx's log format `combined`, 181 bytes each in the mean.
// The same arguments give the same bytes on every machine.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

// SplitMix64, so that no library decides what the corpus is.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>((next() >> 32) * bound >> 32); }
  // Few are chosen often, as it is with users, clients and paths.
  std::size_t skewed(std::size_t bound) {
    const double u = static_cast<double>(next() >> 11) * 0x1p-53;
    return static_cast<std::size_t>(u * u * u * static_cast<double>(bound));
  }
  template <std::size_t N>
  std::string_view pick(const std::string_view (&of)[N]) {
    return of[skewed(N)];
  }

 private:
  std::uint64_t state_;
};

std::string hex(Rng& rng, std::size_t digits) {
  std::string text;
  while (text.size() < digits) fmt::format_to(std::back_inserter(text), "{:016x}", rng.next());
  text.resize(digits);
  return text;
}

std::string uuid(Rng& rng) {
  const std::string h = hex(rng, 32);
  return fmt::format("{}-{}-4{}-a{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(13, 3), h.substr(17, 3),
                     h.substr(20));
}

std::string address(Rng& rng) {
  return fmt::format("{}.{}.{}.{}", 11 + rng.below(200), rng.below(256), rng.below(256), 1 + rng.below(254));
}

constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
    "Safari/605.1.15",
    "curl/7.88.1",
    "python-requests/2.28.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "kube-probe/1.27",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "aws-sdk-go/1.44.200 (go1.20.4; linux; amd64)",
    "openstacksdk/1.0.1 keystoneauth1/5.1.1 python-requests/2.28.1 CPython/3.11.2",
    "Go-http-client/1.1",
    "-",
};
constexpr std::string_view kPaths[] = {"/",
                                       "/api/v1/items",
                                       "/api/v1/items/{}",
                                       "/static/app.{}.js",
                                       "/login",
                                       "/api/v1/users/{}/orders",
                                       "/favicon.ico",
                                       "/img/{}.png",
                                       "/search?q={}",
                                       "/healthz",
                                       "/.env",
                                       "/wp-login.php",
                                       "/api/v2/events?since={}",
                                       "/robots.txt",
                                       "/download/{}.tar.gz",
                                       "/api/v1/sessions/{}"};
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "HEAD", "DELETE"};
constexpr std::string_view kStatus[] = {"200", "304", "404", "302", "401", "499", "500", "403", "201", "502"};
constexpr std::string_view kUsers[] = {"deploy",   "alice", "bob",     "root",  "admin", "oracle", "test",   "ubuntu",
                                       "postgres", "git",   "jenkins", "carol", "dave",  "backup", "nagios", "ftpuser"};
constexpr std::string_view kCommands[] = {"/usr/bin/systemctl restart nginx",
                                          "/usr/bin/apt-get update",
                                          "/usr/bin/journalctl -u keystone -n 200",
                                          "/bin/cat /etc/shadow",
                                          "/usr/sbin/nft list ruleset",
                                          "/usr/bin/less /var/log/auth.log"};

struct Client {
  std::string address, user, project;
};

class Corpus {
 public:
  explicit Corpus(std::uint64_t seed) : rng_(seed) {
    for (int i = 0; i < 4000; ++i) clients_.push_back({address(rng_), hex(rng_, 32), hex(rng_, 32)});
  }

  // One request, login or command: some lines.
  void add(std::string& out) {
    micros_ += 200 + rng_.below(4000);
    const std::size_t kind = rng_.below(100);
    if (kind < 38) return access(out);
    if (kind < 41) return error(out);
    if (kind < 60) return auth(out);
    if (kind < 76) return nova(out);
    if (kind < 88) return keystone(out);
    neutron(out);
  }

  // nginx's own format, without the request time that `access` writes after it.
  void add_combined(std::string& out) {
    micros_ += 200 + rng_.below(4000);
    constexpr std::string_view kReferers[] = {"-", "https://portal.example.org/"};
    line(out, R"({} - - [{}/Nov/2026:{} +0000] "{} {} HTTP/1.1" {} {} "{}" "{}")", client().address, day(), hour(),
         rng_.pick(kMethods), path(), rng_.pick(kStatus), rng_.skewed(200'000), rng_.pick(kReferers),
         rng_.pick(kAgents));
  }

  void add_noise(std::string& out) {
    micros_ += 200;
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out += stamp(' ') + ' ';
    for (int i = 0; i < 180; ++i) out += kLetters[rng_.below(kLetters.size())];
    out += '\n';
  }

 private:
  template <class... Args>
  void line(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
    out += '\n';
    micros_ += 1 + rng_.below(900);
  }
  const Client& client() { return clients_[rng_.skewed(clients_.size())]; }

  // The corpus plays on 23 November 2026 and, when it is long, on the days after.
  std::uint64_t seconds() const { return micros_ / 1'000'000; }
  std::uint64_t day() const { return 23 + seconds() / 86'400; }
  std::string hour() const {
    const std::uint64_t s = seconds() % 86'400;
    return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  }
  std::string stamp(char between) const { return fmt::format("2026-11-{:02}{}{}", day(), between, hour()); }

  std::string path() {
    const std::string_view shape = rng_.pick(kPaths);
    const std::size_t hole = shape.find("{}");
    if (hole == shape.npos) return std::string(shape);
    return fmt::format("{}{}{}", shape.substr(0, hole), rng_.below(2) == 0 ? hex(rng_, 8) : uuid(rng_),
                       shape.substr(hole + 2));
  }

  void access(std::string& out) {
    line(out, R"({} - - [{}/Nov/2026:{} +0000] "{} {} HTTP/1.1" {} {} "{}" "{}" rt={:.3f})", client().address, day(),
         hour(), rng_.pick(kMethods), path(), rng_.pick(kStatus), rng_.skewed(200'000),
         rng_.below(3) == 0 ? "https://portal.example.org/" : "-", rng_.pick(kAgents),
         static_cast<double>(rng_.skewed(5000)) / 1000.0);
  }

  void error(std::string& out) {
    line(out,
         "2026/11/{:02} {} [error] {}#{}: *{} upstream timed out (110: Connection timed out) while reading response "
         "header "
         "from upstream, client: {}, server: portal.example.org, request: \"GET {} HTTP/1.1\", upstream: "
         "\"http://10.0.0.{}:8080{}\", host: \"portal.example.org\"",
         day(), hour(), 900 + rng_.below(8), 900 + rng_.below(8), rng_.below(10'000'000), client().address, path(),
         2 + rng_.below(12), path());
  }

  void auth(std::string& out) {
    const std::string head = fmt::format("{}.{:06}+00:00 vm", stamp('T'), micros_ % 1'000'000);
    const std::size_t pid = 1000 + rng_.below(400'000), port = 32'768 + rng_.below(28'000);
    const std::string_view user = rng_.pick(kUsers);
    switch (rng_.below(4)) {
      case 0: {  // guessed at from anywhere
        const std::string from = address(rng_);
        line(out, "{} sshd[{}]: Invalid user {} from {} port {}", head, pid, user, from, port);
        line(out, "{} sshd[{}]: Failed password for invalid user {} from {} port {} ssh2", head, pid, user, from, port);
        line(out, "{} sshd[{}]: Connection closed by invalid user {} {} port {} [preauth]", head, pid, user, from,
             port);
        return;
      }
      case 1:
        line(out, "{} sudo:  {} : TTY=pts/{} ; PWD=/home/{} ; USER=root ; COMMAND={}", head, user, rng_.below(12), user,
             rng_.pick(kCommands));
        line(out, "{} sudo: pam_unix(sudo:session): session opened for user root(uid=0) by {}(uid={})", head, user,
             1000 + rng_.below(40));
        line(out, "{} sudo: pam_unix(sudo:session): session closed for user root", head);
        return;
      default:
        line(out, "{} sshd[{}]: Accepted publickey for {} from {} port {} ssh2: ED25519 SHA256:{}", head, pid, user,
             client().address, port, hex(rng_, 43));
        line(out, "{} sshd[{}]: pam_unix(sshd:session): session opened for user {}(uid={}) by (uid=0)", head, pid, user,
             1000 + rng_.below(40));
        return;
    }
  }

  // What stands before the message in every line of one OpenStack request.
  std::string context(const Client& who, std::string_view request) {
    return fmt::format("[None req-{} {} {} - - default default]", request, who.user, who.project);
  }
  std::string openstack_time() const { return fmt::format("{}.{:03}", stamp(' '), micros_ / 1000 % 1000); }

  void nova(std::string& out) {
    constexpr std::string_view kCalls[] = {"ServersController.show",  "ServersController.detail",
                                           "FlavorsController.index", "ServersController.create",
                                           "KeypairController.index", "ServersController.delete"};
    const Client& who = client();
    const std::string request = uuid(rng_), about = context(who, request), server = uuid(rng_);
    const std::size_t pid = 9754 + rng_.below(16);
    line(out,
         "{} {} DEBUG nova.api.openstack.wsgi {} Calling method '<bound method {} of "
         "<nova.api.openstack.compute.servers."
         "ServersController object at 0x7f{}>>' _process_stack "
         "/usr/lib/python3/dist-packages/nova/api/openstack/wsgi.py:513",
         openstack_time(), pid, about, rng_.pick(kCalls), hex(rng_, 10));
    line(
        out,
        "{} {} DEBUG oslo_concurrency.lockutils {} Lock \"{}\" \"released\" by \"nova.context.set_target_cell.<locals>."
        "get_or_set_cached_cell_and_set_connections\" :: held 0.{:03}s inner "
        "/usr/lib/python3/dist-packages/oslo_concurrency/lockutils.py:422",
        openstack_time(), pid, about, uuid(rng_), rng_.skewed(90));
    line(
        out,
        "{} {} INFO nova.api.openstack.requestlog {} {} \"GET /v2.1/servers/{}\" status: {} len: {} microversion: 2.{} "
        "time: {}.{:06}",
        openstack_time(), pid, about, who.address, server, rng_.below(9) == 0 ? 404 : 200, 200 + rng_.below(4000),
        1 + rng_.below(95), rng_.skewed(3), rng_.below(1'000'000));
  }

  void keystone(std::string& out) {
    const Client& who = client();
    const std::string request = uuid(rng_), about = context(who, request);
    const std::size_t pid = 2316 + rng_.below(8);
    line(out,
         "{} {} DEBUG keystone.server.flask.request_processing.req_logging {} REQUEST_METHOD: `{}` log_request_info "
         "/usr/lib/python3/dist-packages/keystone/server/flask/request_processing/req_logging.py:27",
         openstack_time(), pid, about, rng_.below(3) == 0 ? "GET" : "POST");
    line(out,
         "{} {} DEBUG keystone.server.flask.request_processing.req_logging {} PATH_INFO: `/v3/auth/tokens` "
         "log_request_info "
         "/usr/lib/python3/dist-packages/keystone/server/flask/request_processing/req_logging.py:29",
         openstack_time(), pid, about);
    if (rng_.below(6) == 0)
      line(
          out,
          "{} {} WARNING keystone.server.flask.application {} Authorization failed. The request you have made requires "
          "authentication. from {}: keystone.exception.Unauthorized: The request you have made requires "
          "authentication.",
          openstack_time(), pid, about, who.address);
    else
      line(
          out,
          "{} {} DEBUG keystone.auth.core {} MFA Rules not processed for user `{}`. Rule list: `[]` (Enabled: `True`). "
          "check_auth_methods_against_rules /usr/lib/python3/dist-packages/keystone/auth/core.py:438",
          openstack_time(), pid, about, who.user);
  }

  void neutron(std::string& out) {
    constexpr std::string_view kWhat[] = {"ports", "networks", "subnets", "security-groups", "floatingips", "agents"};
    const Client& who = client();
    const std::string request = uuid(rng_), about = context(who, request);
    const std::size_t pid = 10'231 + rng_.below(4);
    line(out,
         "{} {} DEBUG neutron_lib.callbacks.manager {} Publish callbacks ['neutron.plugins.ml2.plugin.Ml2Plugin."
         "_handle_segment_change-{}'] for network ({}), before_response _notify_loop "
         "/usr/lib/python3/dist-packages/neutron_lib/callbacks/manager.py:176",
         openstack_time(), pid, about, rng_.below(100'000'000), uuid(rng_));
    line(out, "{} {} INFO neutron.wsgi {} {} \"GET /v2.0/{}/{} HTTP/1.1\" status: {}  len: {} time: {}.{:07}",
         openstack_time(), pid, about, who.address, rng_.pick(kWhat), uuid(rng_), rng_.below(12) == 0 ? 404 : 200,
         150 + rng_.below(3000), rng_.skewed(3), rng_.below(10'000'000));
  }

  Rng rng_;
  std::uint64_t micros_ = 0;
  std::vector<Client> clients_;
};

enum class Kind { mixed, noise, combined };

void add_to(std::string& lines, Corpus& corpus, Kind kind) {
  switch (kind) {
    case Kind::mixed:
      return corpus.add(lines);
    case Kind::noise:
      return corpus.add_noise(lines);
    case Kind::combined:
      return corpus.add_combined(lines);
  }
}

// At least `bytes`, ending with a whole line.
bool write_file(Corpus& corpus, const std::string& path, std::uint64_t bytes, Kind kind) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  std::string lines;
  bool good = true;
  for (std::uint64_t written = 0; good && written < bytes; written += lines.size()) {
    lines.clear();
    while (lines.size() < (1U << 20) && written + lines.size() < bytes) add_to(lines, corpus, kind);
    good = std::fwrite(lines.data(), 1, lines.size(), file) == lines.size();
  }
  return std::fclose(file) == 0 && good;
}

bool number(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  Kind kind = Kind::mixed;
  if (!arguments.empty() && arguments[0] == "--noise") {
    kind = Kind::noise;
    arguments.erase(arguments.begin());
  } else if (arguments.size() > 1 && arguments[0] == "--only" && arguments[1] == "nginx") {
    kind = Kind::combined;
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  std::uint64_t bytes = 0, seed = 0, files = 0;
  const bool many = arguments.size() == 4;
  if (arguments.size() < 3 || arguments.size() > 4 || !number(arguments[0], bytes) || !number(arguments[1], seed) ||
      (many && (!number(arguments[3], files) || files == 0))) {
    fmt::print(stderr, "usage: {} [--noise | --only nginx] BYTES SEED PATH [FILES]\n", argv[0]);
    return 64;
  }
  Corpus corpus(seed);
  if (!many) return write_file(corpus, arguments[2], bytes, kind) ? 0 : 1;
  for (std::uint64_t i = 0; i < files; ++i) {
    // A hundred to a directory, as services have them.
    const std::string folder = fmt::format("{}/service{:03}", arguments[2], i / 100);
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    if (!write_file(corpus, fmt::format("{}/{:02}.log", folder, i % 100), bytes / files, kind)) return 1;
  }
  return 0;
}
