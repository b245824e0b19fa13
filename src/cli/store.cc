#include "cli/store.h"

#include "base/files.h"
#include "cli/config_file.h"
#include "cloud/s3_store.h"
#include "control/storage_reach.h"
#include "pipeline/config/config_check.h"

namespace enclave::cli {
namespace {

Result<cloud::S3Credentials> credentials_of(const std::string& where, Shell& shell) {
  const std::string place = where.starts_with("file:") ? "file:" + absolute_path(shell, where.substr(5)) : where;
  return cloud::find_credentials(shell.world.files, place, shell.environment);
}

/// The part of a bucket below a prefix.
class PrefixSource : public archive::LogSource {
 public:
  PrefixSource(std::unique_ptr<LogSource> whole, std::string prefix)
      : whole_(std::move(whole)), prefix_(std::move(prefix)) {}
  Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) override {
    return whole_->list(prefix_ + prefix, [&](const Entry& entry) {
      Entry shorter = entry;
      shorter.key.erase(0, prefix_.size());
      return visit(shorter);
    });
  }
  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    return whole_->get(prefix_ + key, version, bytes_max);
  }
  std::string name() const override { return fmt::format("{}/{}", whole_->name(), prefix_); }

 private:
  std::unique_ptr<LogSource> whole_;
  std::string prefix_;
};

/// Options before environment before configuration.
Result<pipeline::StorageConfig> storage_of(const Arguments& arguments, Shell& shell) {
  pipeline::StorageConfig storage;
  if (arguments.has("config") || arguments.has("dir")) storage = TRY(load(arguments, shell)).storage;
  if (storage.endpoint.empty() || storage.is_file()) {
    storage.endpoint = shell.environment("AWS_ENDPOINT_URL_S3").value_or("");
    if (storage.endpoint.empty()) storage.endpoint = shell.environment("AWS_ENDPOINT_URL").value_or("");
    storage.region = shell.environment("AWS_REGION").value_or(storage.region);
  }
  storage.endpoint = arguments.value("endpoint", storage.endpoint);
  storage.region = arguments.value("region", storage.region);
  storage.credentials = arguments.value("credentials", storage.credentials);
  if (arguments.has("ca")) storage.ca = absolute_path(shell, arguments.value("ca"));
  if (storage.endpoint.empty())
    return Error{Fault::invalid, "--endpoint is missing: name the server, such as https://objects.example.org"};
  while (storage.endpoint.ends_with('/')) storage.endpoint.pop_back();
  return storage;
}

Result<OpenLog> open_s3(std::string_view rest, const Arguments& arguments, Shell& shell) {
  const std::string bucket(rest.substr(0, rest.find('/')));
  std::string prefix(rest.substr(std::min(bucket.size() + 1, rest.size())));
  if (!pipeline::is_bucket_name(bucket)) return Error{Fault::invalid, "\"{}\" cannot be the name of a bucket", bucket};
  OpenLog log;
  log.store = TRY(open_bucket(TRY(storage_of(arguments, shell)), bucket, shell));
  log.source = cloud::bucket_source(*log.store);
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  if (!prefix.empty()) log.source = std::make_unique<PrefixSource>(std::move(log.source), prefix);
  return log;
}

}  // namespace

Result<std::unique_ptr<cloud::ObjectStore>> open_bucket(const pipeline::StorageConfig& storage, const std::string& name,
                                                        Shell& shell) {
  if (storage.is_file()) return cloud::open_file_store(shell.world, join_path(storage.directory(), name));
  return cloud::open_s3_store(shell.world, control::s3_options(storage, name),
                              TRY(credentials_of(storage.credentials, shell)));
}

Result<std::unique_ptr<cloud::ObjectStore>> open_log_bucket(const pipeline::Config& config, Shell& shell) {
  const auto& storage = config.storage;
  if (storage.is_file() || storage.writer.empty()) return open_bucket(storage, config.log_bucket(), shell);
  cloud::S3Options options = control::s3_options(storage, config.log_bucket());
  // What another account puts belongs to it, and the owner of the bucket could not read it.
  options.acl = "bucket-owner-full-control";
  return cloud::open_s3_store(shell.world, std::move(options), TRY(credentials_of(storage.writer, shell)));
}

Result<OpenLog> open_log(const std::string& target, const Arguments& arguments, Shell& shell) {
  if (target.starts_with("s3://")) return open_s3(std::string_view(target).substr(5), arguments, shell);
  OpenLog log;
  if (!target.empty()) {
    const std::string directory = target.starts_with("file://") ? target.substr(7) : absolute_path(shell, target);
    const FileInfo info = TRY(shell.world.files.info(directory));
    if (info.kind != FileKind::directory) return Error{Fault::invalid, "{} is not a directory", target};
    log.source = archive::directory_source(shell.world.files, directory);
    return log;
  }
  const auto config = TRY(load(arguments, shell));
  log = TRY(open_log_of(config, shell));
  log.config = config;
  return log;
}

Result<OpenLog> open_log_of(const pipeline::Config& config, Shell& shell) {
  OpenLog log;
  const auto& storage = config.storage;
  if (storage.is_file()) {
    // Reading must not make a store where there is none.
    log.source = archive::directory_source(shell.world.files, join_path(storage.directory(), config.log_bucket()));
  } else {
    log.store = TRY(open_bucket(storage, config.log_bucket(), shell));
    log.source = cloud::bucket_source(*log.store);
  }
  return log;
}

}  // namespace enclave::cli
