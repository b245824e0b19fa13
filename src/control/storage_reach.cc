#include "control/storage_reach.h"

#include <map>
#include <mutex>
#include <tuple>

#include "base/encoding.h"
#include "base/files.h"
#include "crypto/digest.h"

namespace enclave::control {
namespace {

using cloud::Capabilities;
using cloud::S3Bucket;

constexpr std::int64_t kRememberedNs = 86'400LL * 1'000'000'000;
constexpr std::uint64_t kFileBytesMax = 4 << 20;
constexpr std::size_t kCanariesMax = 1'000;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < kCanariesMax) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

class StorageReach final : public Storage {
 public:
  StorageReach(World world, const pipeline::Config& config,
               std::function<std::optional<std::string>(std::string_view)> environment)
      : world_(world), config_(config), environment_(std::move(environment)) {}

  bool is_s3() const override { return !config_.storage.is_file(); }

  Result<S3Bucket*> bucket(const std::string& name, As as, Way way) override {
    const std::lock_guard lock(mutex_);
    auto& slot = buckets_[{name, as, way}];
    if (slot == nullptr) slot = TRY(open(name, as, way));
    return slot.get();
  }

  Result<const Capabilities*> capabilities() override {
    {
      const std::lock_guard lock(mutex_);
      if (capabilities_) return &*capabilities_;
    }
    if (auto remembered = recall(); remembered && is_same_server(*remembered)) {
      const std::lock_guard lock(mutex_);
      capabilities_ = std::move(*remembered);
      return &*capabilities_;
    }
    return probe(nullptr);
  }

  Result<const Capabilities*> probe(const std::function<void(std::string_view)>& progress) override {
    if (!is_s3())
      return Error{Fault::unsupported, "{}: a directory is no S3 server, there is nothing to probe",
                   config_.storage.endpoint};
    const std::vector<std::string> still = remove_left_canaries();
    std::vector<std::string> made = still;
    const cloud::ProbeReach reach{[&](const std::string& name) {
                                    // Remembered before it is made, so that a crash leaves no unknown bucket.
                                    made.push_back(name);
                                    remember_canaries(made);
                                    return open(name, As::owner, Way::configured);
                                  },
                                  [&](const std::string& name) { return open(name, As::anonymous, Way::configured); },
                                  [&](const std::string& name) { return open(name, As::owner, Way::plain_http); }};
    auto found = TRY(cloud::probe_capabilities(world_, reach, progress));
    found.left.insert(found.left.end(), still.begin(), still.end());
    remember_canaries(found.left);
    const std::lock_guard lock(mutex_);
    capabilities_ = std::move(found);
    // Without a directory to remember them in, they are asked for again the next time.
    if (make_directories(world_.files, directory()))
      (void)replace_file(world_.files, file(), cloud::format_capabilities(*capabilities_));
    return &*capabilities_;
  }

 private:
  std::string directory() const { return join_path(config_.state, "storage"); }
  std::string file() const {
    const auto digest = crypto::sha256(config_.storage.endpoint);
    return join_path(directory(), fmt::format("capabilities-{}.json", to_hex(bytes_of(digest)).substr(0, 16)));
  }
  std::string canaries_file() const { return join_path(directory(), "canaries"); }

  Result<cloud::S3Credentials> credentials(const std::string& where) const {
    return cloud::find_credentials(world_.files, where, environment_);
  }

  Result<cloud::S3Credentials> credentials(As as) const {
    switch (as) {
      case As::anonymous:
        return cloud::S3Credentials{};
      case As::owner:
        return credentials(config_.storage.credentials);
      case As::writer:
        if (!config_.storage.writer.empty()) return credentials(config_.storage.writer);
        return Error{Fault::absent, "storage.writer names no second identity"};
      case As::other:
        break;
    }
    if (!config_.storage.other.empty()) return credentials(config_.storage.other);
    return Error{Fault::absent, "storage.other names no identity of somebody else"};
  }

  // The same host, so that the server knows the bucket and its own name.
  std::string plain_endpoint() const {
    const auto& storage = config_.storage;
    if (!storage.plain_endpoint.empty()) return storage.plain_endpoint;
    if (storage.endpoint.starts_with("http://")) return storage.endpoint;
    const std::string host = storage.endpoint.substr(std::string_view("https://").size());
    const auto colon = host.rfind(':');
    const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
    return "http://" + host.substr(0, port ? colon : host.size());
  }

  Result<std::unique_ptr<S3Bucket>> open(const std::string& name, As as, Way way) const {
    const auto& storage = config_.storage;
    if (!is_s3()) return Error{Fault::unsupported, "{} is no S3 server", storage.endpoint};
    cloud::S3Options options = s3_options(storage, name);
    if (way == Way::plain_http) options.endpoint = plain_endpoint();
    options.insecure = options.insecure || way == Way::plain_http;
    options.anonymous = as == As::anonymous;
    if (way == Way::tls_1_0) options.tls_at_most = cloud::S3Options::TlsAtMost::only_1_0;
    if (way == Way::tls_1_1) options.tls_at_most = cloud::S3Options::TlsAtMost::only_1_1;
    if (way == Way::plain_http) options.retry_for = std::chrono::seconds(2);
    return S3Bucket::open(world_, std::move(options), TRY(credentials(as)));
  }

  std::optional<Capabilities> recall() const {
    const auto text = read_file(world_.files, file(), kFileBytesMax);
    if (!text) return std::nullopt;
    auto found = cloud::parse_capabilities(*text);
    if (!found || found->endpoint != config_.storage.endpoint) return std::nullopt;
    const std::int64_t age = world_.clock.wall_ns() - found->probed_wall_ns;
    if (age < 0 || age > kRememberedNs || !found->left.empty()) return std::nullopt;
    return std::move(*found);
  }

  // Another server may have taken the name since.
  bool is_same_server(const Capabilities& remembered) const {
    const auto account = open("", As::owner, Way::configured);
    if (!account) return false;
    const auto answer = (*account)->ask({.method = "GET", .response_bytes_max = 16 << 20, .account = true});
    return answer && cloud::server_of(*answer) == remembered.server;
  }

  void remember_canaries(const std::vector<std::string>& names) const {
    std::string text;
    for (const auto& name : names) text += name + "\n";
    if (names.empty()) {
      (void)remove_if_there(world_.files, canaries_file());
    } else if (make_directories(world_.files, directory())) {
      (void)replace_file(world_.files, canaries_file(), text);
    }
  }

  // Those that are still there, locked until their day.
  std::vector<std::string> remove_left_canaries() const {
    std::vector<std::string> still;
    const auto text = read_file(world_.files, canaries_file(), kFileBytesMax);
    if (!text) return still;
    for (const auto& name : lines_of(*text)) {
      if (!name.starts_with(cloud::kCanaryPrefix)) continue;
      const auto canary = open(name, As::owner, Way::configured);
      const auto removed = canary ? cloud::remove_canary(**canary) : Result<bool>(false);
      if (!removed || !*removed) still.push_back(name);
    }
    return still;
  }

  World world_;
  const pipeline::Config& config_;
  const std::function<std::optional<std::string>(std::string_view)> environment_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, As, Way>, std::unique_ptr<S3Bucket>> buckets_;
  std::optional<Capabilities> capabilities_;
};

}  // namespace

cloud::S3Options s3_options(const pipeline::StorageConfig& storage, const std::string& bucket) {
  cloud::S3Options options;
  options.endpoint = storage.endpoint;
  options.bucket = bucket;
  options.region = storage.region;
  options.ca_file = storage.ca;
  options.proxy = storage.proxy;
  if (storage.addressing == "virtual") options.addressing = cloud::S3Options::Addressing::virtual_host;
  if (storage.addressing == "path") options.addressing = cloud::S3Options::Addressing::path;
  options.insecure = storage.insecure_http;
  return options;
}

std::unique_ptr<Storage> open_storage(World world, const pipeline::Config& config,
                                      std::function<std::optional<std::string>(std::string_view)> environment) {
  return std::make_unique<StorageReach>(world, config, std::move(environment));
}

}  // namespace enclave::control
