#include "cloud/s3_client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/encoding.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_xml.h"
#include "crypto/digest.h"

namespace enclave::cloud {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Result<void> check_endpoint(const S3Options& options) {
  const std::string& endpoint = options.endpoint;
  const bool plain = endpoint.starts_with(kHttp);
  if (!plain && !endpoint.starts_with(kHttps))
    return Error{Fault::invalid, "\"{}\" is not an endpoint; write https://HOST or https://HOST:PORT", endpoint};
  if (plain && !options.insecure)
    return Error{Fault::invalid,
                 "{}: plain http can be read and changed on the way; use https:// or allow it explicitly", endpoint};
  const std::string_view host = std::string_view(endpoint).substr((plain ? kHttp : kHttps).size());
  if (host.empty() || !all_of(host, ".-:[]"))
    return Error{Fault::invalid, "{}: an endpoint is a host and perhaps a port, with nothing behind it", endpoint};
  return {};
}

Result<void> check(const S3Options& options, const S3Credentials& credentials) {
  TRY(check_endpoint(options));
  const std::string& bucket = options.bucket;
  if (bucket.size() < 3 || bucket.size() > 255 || !all_of(bucket, ".-_") || bucket.find("..") != std::string::npos ||
      bucket.front() == '.')
    return Error{Fault::invalid, "\"{}\" is not a name of a bucket; use 3 to 63 of a-z, 0-9, \"-\" and \".\"", bucket};
  if (options.region.empty() || !all_of(options.region, "-_."))
    return Error{Fault::invalid, "\"{}\" is not a region", options.region};
  if (options.list_page < 1 || options.list_page > 1000)
    return Error{Fault::invalid, "a list page of {} keys; 1 to 1,000 are possible", options.list_page};
  if (credentials.access_key.empty() || credentials.secret_key.empty())
    return Error{Fault::invalid, "{}: an access key and a secret key are needed", options.endpoint};
  if (!all_of(credentials.access_key, "-_.+/=@"))
    return Error{Fault::invalid, "{}: the access key holds characters that no access key has", options.endpoint};
  return {};
}

// Default ports stand in no Host header, and the signature covers that header.
std::string host_of(const S3Options& options, bool plain) {
  std::string host = options.endpoint.substr((plain ? kHttp : kHttps).size());
  const std::string_view port = plain ? ":80" : ":443";
  if (host.ends_with(port) && std::count(host.begin(), host.end(), ':') == 1) host.resize(host.size() - port.size());
  return options.virtual_host ? fmt::format("{}.{}", options.bucket, host) : host;
}

}  // namespace

struct S3Client::Attempt {
  Result<io::HttpResponse> outcome;
  bool refused = false;  ///< certainly not done
  bool at_once = false;  ///< worth another attempt without a pause
  std::string code;      ///< of an error answer
};

Result<std::unique_ptr<S3Client>> S3Client::make(World world, S3Options options, S3Credentials credentials) {
  TRY(check(options, credentials));
  io::HttpOptions http;
  http.ca_file = options.ca_file;
  http.plain_http = options.insecure;
  http.connect_within = options.connect_within;
  http.transfer_within = options.request_within;
  http.stalled_after = options.stalled_after;
  auto client = TRY(io::HttpClient::make(std::move(http)));
  auto waiter = TRY(io::Waiter::make());
  return std::unique_ptr<S3Client>(
      new S3Client(world, std::move(options), std::move(credentials), std::move(client), std::move(waiter)));
}

S3Client::S3Client(World world, S3Options options, S3Credentials credentials, std::unique_ptr<io::HttpClient> http,
                   io::Waiter waiter)
    : world_(world),
      options_(std::move(options)),
      credentials_(std::move(credentials)),
      http_(std::move(http)),
      waiter_(std::move(waiter)) {
  const bool plain = options_.endpoint.starts_with(kHttp);
  scheme_ = plain ? kHttp : kHttps;
  host_ = host_of(options_, plain);
  base_ = options_.virtual_host ? "" : "/" + options_.bucket;
}

std::string S3Client::name() const { return fmt::format("s3://{} at {}", options_.bucket, options_.endpoint); }

Result<io::HttpResponse> S3Client::send(const S3Request& request, std::string* code) {
  const std::int64_t end = world_.clock.boot_ns() + options_.retry_for.count();
  bool corrected = false;
  for (unsigned attempts = 0;; ++attempts) {
    Attempt made = attempt(request);
    if (code != nullptr) *code = made.code;
    if (made.outcome) return std::move(made.outcome);
    if (made.at_once && !corrected) {
      corrected = true;
      continue;
    }
    if (made.outcome.error().fault() != Fault::busy) return std::move(made.outcome);
    if (!request.repeatable && !made.refused) return std::move(made.outcome);
    const Nanoseconds pause = random_pause(attempts);
    if (world_.clock.boot_ns() + pause.count() >= end) return std::move(made.outcome);
    TRY(waiter_.wait({}, pause));
  }
}

S3Client::Attempt S3Client::attempt(const S3Request& request) {
  bool unsent = false;
  auto response = http_->send(signed_request(request), &unsent);
  if (!response) {
    Error error = std::move(response).error();
    return {std::move(error).within(fmt::format("{}: {} {}", name(), request.method, request.key)), unsent, false, {}};
  }
  if (response->status >= 200 && response->status < 300) return {std::move(response), false, false, {}};
  const S3Error told = parse_error(response->body);
  const bool clock = told.code == "RequestTimeTooSkewed" || response->status == 403;
  const bool at_once = clock && correct_clock(*response);
  return {error_of(request, *response), is_refused(response->status, told.code), at_once, told.code};
}

io::HttpRequest S3Client::signed_request(const S3Request& request) const {
  SigningRequest to_sign;
  to_sign.method = request.method;
  to_sign.path = base_ + (request.key.empty() && !base_.empty() ? "" : "/") + uri_encode(request.key, true);
  to_sign.query = request.query;
  to_sign.headers = request.headers;
  to_sign.payload = to_hex(bytes_of(crypto::sha256(request.body)));
  SigningScope scope;
  scope.time = signing_time(world_.clock.wall_ns() + skew_ns_.load());
  scope.region = options_.region;
  to_sign.headers.emplace_back("host", host_);
  to_sign.headers.emplace_back("x-amz-content-sha256", to_sign.payload);
  to_sign.headers.emplace_back("x-amz-date", scope.time);
  if (!credentials_.session_token.empty())
    to_sign.headers.emplace_back("x-amz-security-token", credentials_.session_token.reveal());

  io::HttpRequest out;
  out.method = request.method;
  const std::string query = canonical_query(request.query);
  out.url = fmt::format("{}{}{}{}{}", scheme_, host_, to_sign.path, query.empty() ? "" : "?", query);
  out.headers = to_sign.headers;
  out.headers.emplace_back("authorization",
                           authorization(to_sign, scope, credentials_.access_key, credentials_.secret_key));
  out.body = request.body;
  out.response_bytes_max = request.response_bytes_max;
  return out;
}

Error S3Client::error_of(const S3Request& request, const io::HttpResponse& response) const {
  const S3Error told = parse_error(response.body);
  std::string text = fmt::format("{}: {} {}: {}", name(), request.method, request.key, response.status);
  if (!told.code.empty()) text += " " + told.code;
  if (!told.message.empty()) text += fmt::format(" ({})", told.message);
  const std::string_view id = told.request_id.empty() ? response.header("x-amz-request-id") : told.request_id;
  if (!id.empty()) text += fmt::format(", request {}", id);
  if (!told.resource.empty()) text += fmt::format(", resource {}", told.resource);
  return Error{fault_of(response.status, told.code), "{}{}", text, advice_for(response.status, told.code)};
}

// HEAD answers have no body that could say RequestTimeTooSkewed, so the Date decides for every 403.
bool S3Client::correct_clock(const io::HttpResponse& response) {
  constexpr std::int64_t kTolerated = 300'000'000'000;
  const auto theirs = parse_http_date(response.header("date"));
  if (!theirs) return false;
  const std::int64_t skew = *theirs - world_.clock.wall_ns();
  if (std::abs(skew - skew_ns_.load()) < kTolerated) return false;
  skew_ns_.store(skew);
  return true;
}

Nanoseconds S3Client::random_pause(unsigned attempts) {
  Nanoseconds most = options_.retry_pause;
  for (unsigned i = 0; i < attempts && most < options_.retry_pause_max; ++i) most *= 2;
  most = std::min(most, options_.retry_pause_max);
  std::array<std::uint8_t, 8> bytes{};
  world_.random.fill(bytes);
  std::uint64_t number;
  std::memcpy(&number, bytes.data(), sizeof number);
  return Nanoseconds(static_cast<std::int64_t>(number % (static_cast<std::uint64_t>(most.count()) + 1)));
}

}  // namespace enclave::cloud
