#include "cloud/s3_client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/encoding.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_xml.h"
#include "cloud/xml_reader.h"
#include "crypto/digest.h"

namespace enclave::cloud {
namespace {

Result<void> check(const S3Credentials& credentials, const std::string& endpoint) {
  if (credentials.access_key.empty() || credentials.secret_key.empty())
    return Error{Fault::invalid, "{}: an access key and a secret key are needed", endpoint};
  const bool clean = std::all_of(credentials.access_key.begin(), credentials.access_key.end(),
                                 [](char c) { return c > ' ' && c < 0x7f && c != ',' && c != '"'; });
  if (!clean) return Error{Fault::invalid, "{}: the access key holds characters that no access key has", endpoint};
  return {};
}

// Where somebody between answers with a page of his own, even a 200 is no answer.
bool is_web_page(const io::HttpResponse& response) {
  return response.header("content-type").starts_with("text/html") && response.header("x-amz-request-id").empty() &&
         response.header("x-amz-id-2").empty() && response.header("etag").empty();
}

Result<ListPage> page_at(S3Client& client, const Listing& listing, const Pairs& at) {
  Pairs query = at;
  if (listing.versions) {
    query.emplace_back("versions", "");
  } else {
    query.emplace_back("list-type", "2");
  }
  query.emplace_back("encoding-type", "url");
  query.emplace_back("max-keys", std::to_string(client.options().list_page));
  if (!listing.prefix.empty()) query.emplace_back("prefix", listing.prefix);
  const auto response =
      TRY(client.send({.method = "GET", .query = std::move(query), .response_bytes_max = kListBytesMax}));
  auto page = listing.versions ? parse_versions(response.body) : parse_objects(response.body);
  if (!page) return std::move(page).error().within(client.name());
  return page;
}

}  // namespace

Pairs version_query(const std::string& version) { return version.empty() ? Pairs() : Pairs{{"versionId", version}}; }

std::string version_in(const io::HttpResponse& response) {
  const auto version = response.header("x-amz-version-id");
  return version == "null" ? std::string() : std::string(version);
}

ObjectInfo info_in(const std::string& key, const std::string& version, const io::HttpResponse& response) {
  ObjectInfo info;
  info.key = key;
  info.etag = unquoted(response.header("etag"));
  info.version = version_in(response);
  info.latest = version.empty();
  if (const auto modified = parse_http_date(response.header("last-modified"))) info.modified_ns = *modified;
  return info;
}

struct S3Client::Attempt {
  Result<io::HttpResponse> outcome;
  bool refused = false;  ///< certainly not done
  bool at_once = false;  ///< worth another attempt without a pause
  S3Told told = {};
};

Result<std::unique_ptr<S3Client>> S3Client::make(World world, S3Options options, S3Credentials credentials) {
  TRY(check_options(options));
  if (!options.anonymous) TRY(check(credentials, options.endpoint));
  io::HttpOptions http;
  http.ca_file = options.ca_file;
  http.plain_http = options.insecure;
  http.proxy = options.proxy;
  http.tls = options.tls_at_most;
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
      place_(place_of(options_, options_.region)),
      http_(std::move(http)),
      waiter_(std::move(waiter)) {}

std::string S3Client::name() const {
  if (options_.bucket.empty()) return options_.endpoint;
  return fmt::format("s3://{} at {}", options_.bucket, options_.endpoint);
}

S3Place S3Client::place() const {
  const std::lock_guard lock(mutex_);
  return place_;
}

Result<io::HttpResponse> S3Client::send(const S3Request& request, std::string* code) {
  S3Told told;
  auto response = send(request, told);
  if (code != nullptr) *code = std::move(told.code);
  return response;
}

Result<io::HttpResponse> S3Client::send(const S3Request& request, S3Told& told) {
  const std::int64_t end = world_.clock.boot_ns() + options_.retry_for.count();
  Mended mended;
  budget_.earn();
  for (unsigned attempts = 0;; ++attempts) {
    Attempt made = attempt(request, mended);
    told = std::move(made.told);
    if (made.outcome) return std::move(made.outcome);
    if (made.at_once) continue;
    if (made.outcome.error().fault() != Fault::busy) return std::move(made.outcome);
    if (!request.repeatable && !made.refused) return std::move(made.outcome);
    const Nanoseconds pause = random_pause(attempts);
    if (world_.clock.boot_ns() + pause.count() >= end || !budget_.spend()) return std::move(made.outcome);
    TRY(waiter_.wait({}, pause));
  }
}

Result<io::HttpResponse> S3Client::ask(const S3Request& request) {
  Mended mended;
  for (;;) {
    auto response = exchanged(request, nullptr);
    if (!response || !mend(*response, mended)) return response;
  }
}

Result<io::HttpResponse> S3Client::exchanged(const S3Request& request, bool* unsent) {
  auto response = http_->send(request_for(request), unsent);
  if (response) return response;
  return std::move(response).error().within(fmt::format("{}: {} {}", name(), request.method, request.key));
}

S3Client::Attempt S3Client::attempt(const S3Request& request, Mended& mended) {
  bool unsent = false;
  auto response = exchanged(request, &unsent);
  if (!response) return {std::move(response), unsent, false, {}};
  const bool good = response->status >= 200 && response->status < 300;
  const std::string request_id(response->header("x-amz-request-id"));
  if (good && !is_web_page(*response)) return {std::move(response), false, false, {"", request_id}};
  const S3Error told = parse_error(response->body);
  const bool at_once = mend(*response, mended);
  return {error_of(request, *response),
          is_refused(response->status, told.code),
          at_once,
          {told.code, told.request_id.empty() ? request_id : told.request_id}};
}

SigningRequest S3Client::unsigned_form(const S3Request& request, const S3Place& place) const {
  SigningRequest form;
  form.method = request.method;
  const std::string base = request.account ? "" : place.base;
  form.path = base + (request.key.empty() && !base.empty() ? "" : "/") + uri_encode(request.key, true);
  form.query = request.query;
  form.headers = request.headers;
  form.headers.emplace_back("host", request.account ? place.account_host : place.host);
  return form;
}

io::HttpRequest S3Client::request_for(const S3Request& request) const {
  const S3Place place = this->place();
  SigningRequest form = unsigned_form(request, place);
  const std::string query = canonical_query(request.query);
  io::HttpRequest out;
  out.method = request.method;
  out.url =
      fmt::format("{}{}{}{}{}", place.scheme, form.headers.back().second, form.path, query.empty() ? "" : "?", query);
  out.body = request.body;
  out.response_bytes_max = request.response_bytes_max;
  out.repeatable = request.repeatable;
  if (!options_.anonymous) {
    form.payload = to_hex(bytes_of(crypto::sha256(request.body)));
    const SigningScope scope{signing_time(world_.clock.wall_ns() + skew_ns_.load()), place.region};
    form.headers.emplace_back("x-amz-content-sha256", form.payload);
    form.headers.emplace_back("x-amz-date", scope.time);
    if (!credentials_.session_token.empty())
      form.headers.emplace_back("x-amz-security-token", credentials_.session_token.reveal());
    const std::string proof = authorization(form, scope, credentials_.access_key, credentials_.secret_key);
    form.headers.emplace_back("authorization", proof);
  }
  out.headers = std::move(form.headers);
  return out;
}

std::string S3Client::line_of(const S3Request& request) const {
  const S3Place place = this->place();
  const SigningRequest form = unsigned_form(request, place);
  std::string line = fmt::format("{} {}{}{}", request.method, place.scheme, form.headers.back().second, form.path);
  const char* before = "?";
  for (const auto& [name, value] : request.query) {
    line +=
        fmt::format("{}{}{}{}", before, uri_encode(name, false), value.empty() ? "" : "=", uri_encode(value, false));
    before = "&";
  }
  return options_.anonymous ? line + " (unsigned)" : line;
}

Result<std::string> S3Client::presigned(const S3Request& request, Nanoseconds valid) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(valid).count();
  if (seconds < 1 || seconds > 7 * 86400)
    return Error{Fault::invalid, "a presigned URL is valid for 1 second to 7 days, not for {}", format_duration(valid)};
  if (options_.anonymous || !request.headers.empty())
    return Error{Fault::invalid, "a presigned URL needs credentials and has no headers of its own"};
  const S3Place place = this->place();
  SigningRequest form = unsigned_form(request, place);
  const SigningScope scope{signing_time(world_.clock.wall_ns() + skew_ns_.load()), place.region};
  const std::string query = presigned_query(form, scope, credentials_.access_key, credentials_.secret_key,
                                            credentials_.session_token, static_cast<unsigned>(seconds));
  return fmt::format("{}{}{}?{}", place.scheme, form.headers.back().second, form.path, query);
}

Error S3Client::error_of(const S3Request& request, const io::HttpResponse& response) const {
  const S3Error told = parse_error(response.body);
  std::string text = fmt::format("{}: {} {}: {}", name(), request.method, request.key, response.status);
  if (!told.code.empty()) text += " " + told.code;
  if (!told.message.empty()) text += fmt::format(" ({})", told.message);
  const std::string_view id = told.request_id.empty() ? response.header("x-amz-request-id") : told.request_id;
  if (!id.empty()) text += fmt::format(", request {}", id);
  if (!told.resource.empty()) text += fmt::format(", resource {}", told.resource);
  Fault fault = fault_of(response.status, told.code);
  if (response.status < 300) fault = Fault::unsupported;
  return Error{fault, "{}{}", text, advice_for(response, told, place().region)};
}

bool S3Client::mend(const io::HttpResponse& response, Mended& mended) {
  if (response.status < 300) return false;
  const S3Error told = parse_error(response.body);
  const bool clock = told.code == "RequestTimeTooSkewed" || response.status == 403;
  if (!mended.clock && clock && correct_clock(response)) return mended.clock = true;
  if (!mended.region && correct_region(response)) return mended.region = true;
  return false;
}

// HEAD answers have no body that could say RequestTimeTooSkewed, so the Date decides for every 403.
bool S3Client::correct_clock(const io::HttpResponse& response) {
  constexpr std::int64_t kTolerated = 300'000'000'000;
  const auto theirs = parse_http_date(response.header("date"));
  if (!theirs || options_.anonymous) return false;
  const std::int64_t skew = *theirs - world_.clock.wall_ns();
  if (std::abs(skew - skew_ns_.load()) < kTolerated) return false;
  skew_ns_.store(skew);
  return true;
}

bool S3Client::correct_region(const io::HttpResponse& response) {
  const int status = response.status;
  if (status != 400 && status != 403 && status != 301 && status != 307) return false;
  const std::string region = region_told(response);
  if (!is_region(region)) return false;
  const std::lock_guard lock(mutex_);
  if (region == place_.region) return false;
  place_ = place_of(options_, region);
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

Result<void> list_objects(S3Client& client, const Listing& listing,
                          const std::function<Result<void>(const ObjectInfo&)>& visit) {
  Pairs at;
  std::string last;
  for (;;) {
    const ListPage page = TRY(page_at(client, listing, at));
    for (const auto& entry : page.entries) {
      // What relies on the order would go wrong unseen; a list that goes back might also never end.
      if (entry.key < last)
        return Error{Fault::corrupt, "{}: the server lists \"{}\" behind \"{}\"", client.name(), entry.key, last};
      last = entry.key;
      TRY(visit(entry));
    }
    if (!page.truncated) return {};
    const Pairs before = std::move(at);
    at = listing.versions ? Pairs{{"key-marker", page.next_key}} : Pairs{{"continuation-token", page.next_token}};
    if (listing.versions && !page.next_version.empty()) at.emplace_back("version-id-marker", page.next_version);
    if (at == before) return Error{Fault::corrupt, "{}: the server's list does not go on", client.name()};
  }
}

}  // namespace enclave::cloud
