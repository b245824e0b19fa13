#include "cli/metrics_server.h"

#include <atomic>
#include <optional>
#include <thread>

#include "io/host.h"
#include "io/http_server.h"

namespace enclave::cli {
namespace {

using pipeline::ListenAddress;
using pipeline::Observed;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTryEveryNs = 10 * kSecond, kKeptNs = kSecond / 10;
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr unsigned kConnectionsMax = 32, kOk = 200, kNotFound = 404, kNotAllowed = 405, kUnhealthy = 503;

constexpr std::string_view kOverview = "enclave answers GET /metrics (Prometheus) and GET /healthz\n";

class RealServer final : public MetricsServer {
 public:
  RealServer(const std::vector<ListenAddress>& addresses, Shell& shell, Live& live, Observe observe, io::Waiter waiter)
      : world_(shell.world),
        live_(live),
        observe_(std::move(observe)),
        waiter_(std::move(waiter)),
        started_wall_ns_(world_.clock.wall_ns()) {
    for (const auto& address : addresses) places_.push_back({address, nullptr, {}});
    try_places();
    thread_ = std::thread([this] { run(); });
  }
  ~RealServer() override {
    stop_ = true;
    waiter_.wake();
    thread_.join();
  }

 private:
  struct Place {
    ListenAddress address;
    std::unique_ptr<io::HttpServer> server;
    std::string trouble;  ///< that was told
  };

  void run() {
    while (!stop_) {
      std::vector<int> descriptors;
      for (const auto& place : places_)
        if (place.server) descriptors.push_back(place.server->descriptor());
      (void)waiter_.wait(descriptors, kLookEvery);
      if (stop_) return;
      if (world_.clock.boot_ns() >= try_boot_ns_) try_places();
      for (auto& place : places_) {
        if (!place.server) continue;
        for (const auto& request : place.server->take()) answer(*place.server, request);
      }
    }
  }

  void try_places() {
    try_boot_ns_ = world_.clock.boot_ns() + kTryEveryNs;
    for (auto& place : places_)
      if (!place.server) open(place);
  }

  void open(Place& place) {
    std::optional<Error> last;
    for (std::uint32_t port = place.address.first; port <= place.address.last; ++port) {
      io::HttpServerOptions options;
      options.host = place.address.host;
      options.port = static_cast<std::uint16_t>(port);
      options.body_bytes_max = options.bodies_bytes_max = 1;
      options.connections_max = kConnectionsMax;
      auto server = io::HttpServer::open(options, world_.files);
      if (server) {
        place.server = std::move(*server);
        if (!place.trouble.empty()) live_.say("No longer so: " + place.trouble);
        live_.say(fmt::format("Metrics: http://{}/metrics", place.address.text(options.port)));
        return;
      }
      last = server.error();
      if (last->fault() != Fault::conflict) break;
    }
    if (!place.trouble.empty()) return;
    place.trouble = fmt::format("no metrics: {}; tried again every 10 s", last->text());
    live_.say("Trouble: " + place.trouble);
  }

  void answer(io::HttpServer& server, const io::HttpServerRequest& request) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const io::HttpServer::Headers text{{"Content-Type", "text/plain; charset=utf-8"}};
    if (request.method != "GET" && request.method != "HEAD")
      return server.respond(request.id, kNotAllowed, {{"Allow", "GET, HEAD"}}, "");
    if (path == "/") return server.respond(request.id, kOk, text, kOverview);
    if (path == "/metrics")
      return server.respond(request.id, kOk, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                            metrics_text(look()));
    if (path == "/healthz") {
      const Observed& seen = look();
      const unsigned status = seen.troubles().empty() ? kOk : kUnhealthy;
      return server.respond(request.id, status, {{"Content-Type", "application/json"}}, health_json(seen));
    }
    server.respond(request.id, kNotFound, text, kOverview);
  }

  /// Whoever asks without end must not keep the locks of the counters busy.
  const Observed& look() {
    const std::int64_t now = world_.clock.boot_ns();
    if (observed_ && now - observed_boot_ns_ < kKeptNs) return *observed_;
    observed_ = observe_();
    observed_->version = kVersion;
    observed_->started_wall_ns = started_wall_ns_;
    observed_->wall_ns = world_.clock.wall_ns();
    observed_boot_ns_ = now;
    return *observed_;
  }

  World world_;
  Live& live_;
  const Observe observe_;
  io::Waiter waiter_;
  const std::int64_t started_wall_ns_;
  std::vector<Place> places_;
  std::optional<Observed> observed_;
  std::int64_t observed_boot_ns_ = 0, try_boot_ns_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

Result<void> check_metrics_option(std::string_view option) {
  if (option.empty() || option == "off") return {};
  const auto address = pipeline::parse_listen_address(option);
  if (!address) return Error{Fault::invalid, "--metrics: {}", address.error().text()};
  return {};
}

Result<std::unique_ptr<MetricsServer>> serve_metrics(std::string_view option, std::string_view configured,
                                                     const std::vector<ListenAddress>& asked, Shell& shell, Live& live,
                                                     Observe observe) {
  if (option == "off") return nullptr;
  std::vector<ListenAddress> addresses;
  if (!option.empty()) {
    addresses.push_back(TRY(pipeline::parse_listen_address(option)));
  } else {
    if (!configured.empty() && configured != "off")
      addresses.push_back(TRY(pipeline::parse_listen_address(configured)));
    addresses.insert(addresses.end(), asked.begin(), asked.end());
  }
  if (addresses.empty()) return nullptr;
  for (const auto& address : addresses)
    if (!address.is_loopback())
      live.say(
          fmt::format("Note: whoever reaches this machine at {} can read its metrics: names of files, pipelines "
                      "and plugins, and what is wrong; nothing of the events. 127.0.0.1 keeps them here.",
                      address.text(address.first)));
  auto waiter = TRY(io::Waiter::make());
  return std::unique_ptr<MetricsServer>(
      std::make_unique<RealServer>(addresses, shell, live, std::move(observe), std::move(waiter)));
}

}  // namespace enclave::cli
