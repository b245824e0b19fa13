#include "cloud/s3_bucket.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "cloud/s3_documents.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_results.h"
#include "cloud/xml_reader.h"
#include "crypto/md5.h"

namespace enclave::cloud {
namespace {

constexpr std::size_t kEvidenceBytesMax = 4096;

// What stands in the query, and the root element of the document: a server that does not know a query answers 200 with
// something else, mostly the list of objects.
struct Known {
  Setting setting;
  std::string_view query;
  std::string_view root;  ///< empty: JSON
  std::string_view other_root = {};
  bool writable = true;
  bool removable = false;
};
constexpr std::array<Known, 13> kKnown = {{
    {Setting::acl, "acl", "AccessControlPolicy"},
    {Setting::policy, "policy", "", {}, true, true},
    {Setting::policy_status, "policyStatus", "PolicyStatus", {}, false},
    {Setting::versioning, "versioning", "VersioningConfiguration"},
    {Setting::object_lock, "object-lock", "ObjectLockConfiguration"},
    {Setting::lifecycle, "lifecycle", "LifecycleConfiguration", {}, true, true},
    {Setting::encryption, "encryption", "ServerSideEncryptionConfiguration", {}, true, true},
    {Setting::tagging, "tagging", "Tagging", {}, true, true},
    {Setting::logging, "logging", "BucketLoggingStatus"},
    {Setting::notification, "notification", "NotificationConfiguration"},
    {Setting::public_access_block, "publicAccessBlock", "PublicAccessBlockConfiguration",
     "BlockPublicAccessBlockConfiguration", true, true},
    {Setting::ownership_controls, "ownershipControls", "OwnershipControls"},
    {Setting::location, "location", "LocationConstraint", {}, false},
}};

const Known& known(Setting setting) { return kKnown[static_cast<std::size_t>(setting)]; }

bool is_document_of(const Known& what, std::string_view body) {
  if (!what.root.empty()) {
    const std::string root = root_name(body);
    return root == what.root || (!what.other_root.empty() && root == what.other_root);
  }
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '{';
}

// The text as evidence: one that cannot move the cursor of whoever reads it.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back((c >= ' ' && c < 0x7f) || c == '\n' ? c : '?');
  return out;
}

Result<std::string> content_md5(std::string_view body) { return to_base64(TRY(crypto::md5(body))); }

class RealBucket final : public S3Bucket {
 public:
  explicit RealBucket(std::unique_ptr<S3Client> client) : client_(std::move(client)) {}

  S3Client& client() override { return *client_; }
  const std::string& name() const override { return client_->options().bucket; }

  Result<S3Answer> ask(const S3Request& request) override {
    S3Answer answer;
    answer.request = client_->line_of(request);
    answer.response = TRY(client_->ask(request));
    if (!answer.good()) answer.error = parse_error(answer.response.body);
    return answer;
  }

  Result<Ownership> ownership() override {
    TRY(named());
    const S3Request head{.method = "HEAD"};
    const int status = TRY(client_->ask(head)).status;
    if (status == 404) return absent_or_not_s3();
    if (status != 200 && status != 403) return TRY(told_why());
    if (status == 403) TRY(credentials_are_good());
    return listed(status == 200);
  }

  Result<void> create(const NewBucket& wanted) override {
    // A second creation is harmless on most servers, and resets the ACL on some.
    switch (TRY(ownership())) {
      case Ownership::ours:
        return {};
      case Ownership::others:
        return Error{Fault::conflict, "{}: another account has a bucket of that name; choose another name",
                     client_->name()};
      case Ownership::absent:
        break;
    }
    std::string body;
    if (!wanted.location.empty()) {
      if (!is_region(wanted.location))
        return Error{Fault::invalid, "\"{}\" is not a location", wanted.location.substr(0, 80)};
      body = xml_root("CreateBucketConfiguration", xml_element("LocationConstraint", wanted.location));
    }
    S3Request request{.method = "PUT", .body = body};
    if (wanted.object_lock) request.headers = {{"x-amz-bucket-object-lock-enabled", "true"}};
    std::string code;
    const auto made = client_->send(request, &code);
    if (made || code == "BucketAlreadyOwnedByYou") return {};
    return made.error();
  }

  Result<void> destroy() override {
    TRY(named());
    TRY(client_->send({.method = "DELETE"}));
    return {};
  }

  Result<std::string> read(Setting setting) override {
    TRY(named());
    const Known& what = known(setting);
    const S3Request request{
        .method = "GET", .query = {{std::string(what.query), ""}}, .response_bytes_max = kDocumentBytesMax};
    std::string code;
    auto response = client_->send(request, &code);
    if (response) {
      if (is_document_of(what, response->body)) return std::move(response->body);
      return unknown_setting(what, "it answered with something else");
    }
    // An endpoint that refuses the query as such, not this use of it.
    if (code == "InvalidArgument" || code == "InvalidRequest" || code == "MalformedXML")
      return unknown_setting(what, response.error().text());
    return std::move(response).error();
  }

  Result<void> write(Setting setting, std::string_view document) override {
    TRY(named());
    const Known& what = known(setting);
    if (!what.writable) return Error{Fault::invalid, "?{} can only be read", what.query};
    if (!is_document_of(what, document))
      return Error{Fault::invalid, "what should become ?{} of {} is no such document", what.query, name()};
    // A server that does not know the query takes this for the creation of the bucket, and may say 200.
    if (const auto now = read(setting); !now && now.error().fault() == Fault::unsupported) return now.error();
    S3Request request{.method = "PUT", .query = {{std::string(what.query), ""}}, .body = document};
    request.headers = {{"content-md5", TRY(content_md5(document))}};
    if (!what.root.empty()) request.headers.emplace_back("content-type", "application/xml");
    TRY(client_->send(request));
    return {};
  }

  Result<void> remove(Setting setting, bool proven) override {
    const Known& what = known(setting);
    if (!what.removable || !proven)
      return Error{Fault::unsupported,
                   "{}: ?{} is not removed: a server that does not know it would delete the bucket itself",
                   client_->name(), what.query};
    const auto now = read(setting);
    if (!now && now.error().fault() == Fault::absent) return {};
    if (!now) return now.error();
    TRY(client_->send({.method = "DELETE", .query = {{std::string(what.query), ""}}}));
    return {};
  }

 private:
  // Without a name these would be requests to the account.
  Result<void> named() const {
    if (!name().empty()) return {};
    return Error{Fault::invalid, "{}: no bucket is named", client_->name()};
  }

  Error unknown_setting(const Known& what, std::string_view why) const {
    return Error{Fault::unsupported, "{}: this server does not know ?{}: {}", client_->name(), what.query, why};
  }

  // HEAD has no body; GET of the same says why.
  S3Request list_request() const {
    return {.method = "GET", .query = {{"list-type", "2"}, {"max-keys", "1"}}, .response_bytes_max = 1 << 20};
  }

  Result<Ownership> told_why() {
    const S3Request request = list_request();
    const auto response = TRY(client_->ask(request));
    if (response.status == 200) return listed(true);
    return client_->error_of(request, response);
  }

  Result<Ownership> absent_or_not_s3() {
    const S3Request request = list_request();
    const auto response = TRY(client_->ask(request));
    if (parse_error(response.body).code == "NoSuchBucket") return Ownership::absent;
    if (response.status == 200) return listed(true);
    return client_->error_of(request, response);
  }

  // 403 has many reasons, and only one of them says something of the bucket.
  Result<void> credentials_are_good() {
    const S3Request request = list_request();
    const auto response = TRY(client_->ask(request));
    const std::string code = parse_error(response.body).code;
    if (response.status == 200 || code == "AccessDenied" || code == "AllAccessDisabled") return {};
    return client_->error_of(request, response);
  }

  Result<Ownership> listed(bool reachable) {
    const S3Request request{.method = "GET", .response_bytes_max = kListBytesMax, .account = true};
    const auto response = TRY(client_->ask(request));
    if (response.status == 200 && root_name(response.body) == "ListAllMyBucketsResult" &&
        !client_->options().anonymous) {
      const auto buckets = TRY(parse_account(response.body)).buckets;
      const bool ours =
          std::any_of(buckets.begin(), buckets.end(), [&](const auto& one) { return one.name == name(); });
      return ours ? Ownership::ours : Ownership::others;
    }
    // A user that may not list the account: who reads the ACL of a bucket is its owner or was told to.
    const auto acl = read(Setting::acl);
    if (acl) return Ownership::ours;
    if (!reachable) return Ownership::others;
    return Error{Fault::denied, "{}: cannot be told whose it is: listing the account's buckets is refused ({}), and {}",
                 client_->name(), response.status, acl.error().text()};
  }

  const std::unique_ptr<S3Client> client_;
};

}  // namespace

std::string_view query_of(Setting setting) { return known(setting).query; }

std::string S3Answer::outcome() const {
  return error.code.empty() ? std::to_string(response.status) : fmt::format("{} {}", response.status, error.code);
}

std::string S3Answer::evidence() const {
  std::string text = fmt::format("{}\n{}\n{}", request, outcome(), response.body.substr(0, kEvidenceBytesMax));
  if (text.size() > kEvidenceBytesMax) text.resize(kEvidenceBytesMax);
  return printable(text);
}

Result<std::unique_ptr<S3Bucket>> S3Bucket::open(World world, S3Options options, S3Credentials credentials) {
  auto client = TRY(S3Client::make(world, std::move(options), std::move(credentials)));
  return std::unique_ptr<S3Bucket>(std::make_unique<RealBucket>(std::move(client)));
}

}  // namespace enclave::cloud
