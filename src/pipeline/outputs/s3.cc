#include <fmt/format.h>

#include <algorithm>

#include "cloud/s3_endpoint.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/s3_output.h"

namespace enclave::pipeline {
namespace {

using logstash::PluginOptions;

class Maker {
 public:
  Maker(PluginOptions& options, const FilterWorld& world) : options_(options), world_(world) {}

  std::unique_ptr<Output> make() {
    out_.codec = CodecChoice(options_, "line", world_);
    read_server();
    read_credentials();
    read_files();
    read_headers();
    for (const auto name : {"use_ssl", "follow_redirects"}) (void)options_.text(name);
    if (options_.failed()) return nullptr;
    return std::make_unique<S3Output>(std::move(out_));
  }

 private:
  void read_server() {
    cloud::S3Options& server = out_.upload.server;
    server.bucket = options_.text("bucket");
    if (server.bucket.empty()) options_.mistake("bucket", "is wanted: bucket => \"NAME\"");
    server.region = options_.text("region", "us-east-1");
    server.endpoint = options_.text("endpoint", fmt::format("https://s3.{}.amazonaws.com", server.region));
    server.proxy = options_.text("proxy_uri");
    server.retry_for = std::chrono::seconds(5);
    server.request_within = std::chrono::minutes(2);
    if (server.endpoint.starts_with("http://")) {
      server.insecure = out_.plain_http = true;
      if (server.endpoint.ends_with(":443") || server.endpoint.ends_with(":443/"))
        options_.mistake("endpoint", "port 443 speaks TLS, and http:// does not; write https://");
      else
        options_.warning("endpoint", "http:// sends events in clear text; write https:// where the server offers it");
    } else if (!server.endpoint.starts_with("https://")) {
      options_.mistake("endpoint", "an endpoint begins with https://");
    }
    if (options_.has("endpoint") && !options_.has("region"))
      options_.warning("region", "is not set, and signatures name one; us-east-1 is tried, then what the server says");
    for (const auto& [name, value] : options_.pairs("additional_settings")) {
      if (name == "force_path_style") {
        server.addressing =
            value == "true" ? cloud::S3Options::Addressing::path : cloud::S3Options::Addressing::virtual_host;
      } else if (name == "ssl_ca_bundle") {
        server.ca_file = value;
      } else if (name == "ssl_verify_peer" && value == "false") {
        options_.mistake("additional_settings",
                         "ssl_verify_peer => false is not offered; give the authority's certificate as ssl_ca_bundle");
      } else {
        options_.warning("additional_settings", fmt::format("\"{}\" has no effect here", name));
      }
    }
    if (options_.failed()) return;
    if (const auto checked = cloud::check_options(server); !checked)
      options_.mistake("endpoint", checked.error().text());
  }

  void read_credentials() {
    for (const auto name : {"role_arn", "role_session_name"}) {
      if (options_.has(name))
        options_.mistake(name, "roles are not offered; give access_key_id and secret_access_key, and session_token");
      (void)options_.text(name);
    }
    const std::string file = options_.text("aws_credentials_file");
    out_.credentials.access_key = options_.text("access_key_id");
    out_.credentials.secret_key = crypto::Secret(options_.text("secret_access_key"));
    out_.credentials.session_token = crypto::Secret(options_.text("session_token"));
    if (!file.empty()) {
      auto read = cloud::read_credentials(world_.files, file);
      if (read)
        out_.credentials = std::move(*read);
      else
        options_.mistake("aws_credentials_file", read.error().text());
    } else if (out_.credentials.access_key.empty() || options_.text("secret_access_key").empty()) {
      options_.mistake("access_key_id",
                       "access_key_id and secret_access_key are wanted; \"${AWS_ACCESS_KEY_ID}\" and "
                       "\"${AWS_SECRET_ACCESS_KEY}\" read them from the environment or the keystore");
    }
  }

  void read_files() {
    constexpr std::string_view kStrategies[] = {"size_and_time", "size", "time"};
    constexpr std::string_view kEncodings[] = {"none", "gzip"};
    out_.prefix = options_.reference("prefix", "");
    out_.tags = options_.texts("tags");
    for (const auto& tag : out_.tags)
      if (tag.find_first_of("/\\") != std::string::npos || tag.empty() || tag.size() > 60)
        options_.mistake("tags", fmt::format("\"{}\" cannot stand in the name of a file", tag));
    if (out_.tags.size() > 2) options_.mistake("tags", "at most two stand in the names of objects");
    out_.gzip = options_.choice("encoding", kEncodings, "none") == "gzip";
    const std::string strategy = options_.choice("rotation_strategy", kStrategies, "size_and_time");
    out_.rotation =
        static_cast<S3OutputOptions::Rotation>(std::ranges::find(kStrategies, strategy) - std::begin(kStrategies));
    out_.size_file = static_cast<std::uint64_t>(options_.number("size_file", 5 << 20, 1, 512 << 20));
    out_.time_file = std::chrono::minutes(options_.number("time_file", 15, 1, 7 * 24 * 60));
    out_.temporary_directory = options_.text("temporary_directory");
    if (!out_.temporary_directory.empty() && !out_.temporary_directory.starts_with('/'))
      options_.mistake("temporary_directory", "an absolute path is wanted");
    out_.restore = options_.boolean("restore", true);
    out_.validate = options_.boolean("validate_credentials_on_root_bucket", true);
    out_.upload.workers = static_cast<unsigned>(options_.number("upload_workers_count", 2, 1, 32));
    out_.upload.queue_max = static_cast<std::size_t>(options_.number("upload_queue_size", 16, 1, 10'000));
    (void)options_.number("upload_multipart_threshold", 15 << 20, 1, INT64_MAX);
    (void)options_.number("retry_count", 0, 0, INT64_MAX);
    (void)options_.number("retry_delay", 1, 0, 86'400);
  }

  void read_headers() {
    constexpr std::string_view kAcls[] = {
        "private",       "public-read",       "public-read-write",         "authenticated-read",
        "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"};
    constexpr std::string_view kClasses[] = {
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
        "GLACIER",  "DEEP_ARCHIVE",       "OUTPOSTS",    "GLACIER_IR"};
    constexpr std::string_view kAlgorithms[] = {"AES256", "aws:kms"};
    cloud::Pairs& headers = out_.upload.headers;
    headers.emplace_back("content-type", out_.gzip ? "application/gzip" : "text/plain");
    if (out_.gzip) headers.emplace_back("content-encoding", "gzip");
    if (options_.has("canned_acl")) headers.emplace_back("x-amz-acl", options_.choice("canned_acl", kAcls, "private"));
    if (options_.has("storage_class"))
      headers.emplace_back("x-amz-storage-class", options_.choice("storage_class", kClasses, "STANDARD"));
    const std::string algorithm = options_.choice("server_side_encryption_algorithm", kAlgorithms, "AES256");
    const std::string key = options_.text("ssekms_key_id");
    if (!options_.boolean("server_side_encryption", false)) {
      if (!key.empty()) options_.warning("ssekms_key_id", "has no effect without server_side_encryption => true");
      return;
    }
    headers.emplace_back("x-amz-server-side-encryption", algorithm);
    if (key.empty()) return;
    if (algorithm != "aws:kms") {
      options_.mistake("ssekms_key_id", "needs server_side_encryption_algorithm => \"aws:kms\"");
      return;
    }
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", key);
  }

  PluginOptions& options_;
  const FilterWorld& world_;
  S3OutputOptions out_;
};

std::unique_ptr<Output> make(PluginOptions& options, const FilterWorld& world) { return Maker(options, world).make(); }

}  // namespace

extern const OutputPlugin output_s3;
const OutputPlugin output_s3 = {"s3", "Collects events into objects of an S3 bucket.", make};

}  // namespace enclave::pipeline
