#include "cloud/s3_store.h"

#include <atomic>
#include <mutex>

#include "base/encoding.h"
#include "cloud/s3_client.h"
#include "cloud/s3_documents.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_objects.h"
#include "cloud/s3_xml.h"

namespace enclave::cloud {
namespace {

class S3Store final : public ObjectStore {
 public:
  explicit S3Store(std::unique_ptr<S3Client> client) : client_(std::move(client)) {
    if (!client_->options().acl.empty()) acl_ = {{"x-amz-acl", client_->options().acl}};
  }

  Result<std::string> put(const std::string& key, std::string_view bytes) override {
    TRY(check_key(key));
    return version_in(TRY(client_->send({.method = "PUT", .key = key, .headers = acl_, .body = bytes})));
  }

  Result<std::string> put_if_absent(const std::string& key, std::string_view bytes) override {
    TRY(check_key(key));
    if (client_->options().put_if_absent == S3Options::PutIfAbsent::versions) return put_by_versions(key, bytes);
    switch (way_.load()) {
      case Way::condition:
        return put_by_condition(key, bytes);
      case Way::versions:
        return put_by_versions(key, bytes);
      case Way::blind:
        return put_blindly(key, bytes);
      case Way::unknown:
        break;
    }
    return put_and_learn(key, bytes);
  }

  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    TRY(check_key(key));
    auto response =
        client_->send({.method = "GET", .key = key, .query = version_query(version), .response_bytes_max = bytes_max});
    if (!response) return not_there(key, version, std::move(response).error());
    return std::move(response->body);
  }

  Result<ObjectInfo> head(const std::string& key, const std::string& version) override {
    TRY(check_key(key));
    auto response = client_->send({.method = "HEAD", .key = key, .query = version_query(version)});
    if (!response) return not_there(key, version, std::move(response).error());
    ObjectInfo info = info_in(key, version, *response);
    const auto bytes = parse_number(response->header("content-length"));
    if (!bytes) return Error{Fault::corrupt, "{}: HEAD {}: the server tells no size", name(), key};
    info.bytes = *bytes;
    return info;
  }

  Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) override {
    return list_objects(*client_, listing, visit);
  }

  Result<void> remove(const std::string& key, const std::string& version) override {
    TRY(check_key(key));
    std::string code;
    auto response = client_->send({.method = "DELETE", .key = key, .query = version_query(version)}, &code);
    if (response || (response.error().fault() == Fault::absent && code != "NoSuchBucket")) return {};
    return std::move(response).error();
  }

  std::string name() const override { return client_->name(); }

 private:
  enum class Way : std::uint8_t { unknown, condition, versions, blind };

  // A version that is a delete marker answers "method not allowed"; a version id that is no such id is "invalid" to
  // some.
  Error not_there(const std::string& key, const std::string& version, Error error) const {
    const bool of_version =
        !version.empty() && (error.fault() == Fault::unsupported || error.fault() == Fault::invalid);
    if (!of_version) return error;
    return Error{Fault::absent, "{}: there is no version {} of \"{}\" ({})", name(), version, key, error.text()};
  }

  Result<std::string> put_by_condition(const std::string& key, std::string_view bytes) {
    Pairs headers = acl_;
    headers.emplace_back("if-none-match", "*");
    auto response =
        client_->send({.method = "PUT", .key = key, .headers = std::move(headers), .body = bytes, .repeatable = false});
    if (response) return version_in(*response);
    if (response.error().fault() == Fault::conflict)
      return Error{Fault::conflict, "{}: \"{}\" is there already", name(), key};
    return std::move(response).error();
  }

  // Some servers refuse If-None-Match on PUT, others ignore it. So the first put is done twice: a server that obeys
  // refuses the second one. One that ignores it has stored the same bytes twice.
  Result<std::string> put_and_learn(const std::string& key, std::string_view bytes) {
    const std::lock_guard lock(learning_);
    if (way_.load() == Way::condition) return put_by_condition(key, bytes);
    if (way_.load() == Way::versions) return put_by_versions(key, bytes);
    if (way_.load() == Way::blind) return put_blindly(key, bytes);
    auto absent = must_be_absent(key);
    const bool blind = !absent && absent.error().fault() == Fault::denied;
    if (!absent && !blind) return std::move(absent).error();
    auto first = put_by_condition(key, bytes);
    if (!first) {
      const Fault fault = first.error().fault();
      if (fault == Fault::conflict) way_.store(Way::condition);
      if (fault != Fault::unsupported && fault != Fault::invalid) return first;
      // "Invalid" may also mean this one request.
      if (fault == Fault::unsupported) way_.store(blind ? Way::blind : Way::versions);
      return blind ? put_blindly(key, bytes) : put_by_versions(key, bytes);
    }
    auto second = put_by_condition(key, bytes);
    if (!second) {
      if (second.error().fault() == Fault::conflict) way_.store(Way::condition);
      // Not known yet, but the first one is done.
      return first;
    }
    way_.store(blind ? Way::blind : Way::versions);
    if (blind) return kept_beside(key, *second);
    if (second->empty() || first->empty()) return first;
    (void)remove(key, *second);
    return claimed(key, *first);
  }

  // An identity that may only put, on a server that does not obey conditions: what was there stays as an older version.
  Result<std::string> put_blindly(const std::string& key, std::string_view bytes) {
    return kept_beside(key, TRY(put(key, bytes)));
  }

  Result<std::string> kept_beside(const std::string& key, const std::string& version) const {
    if (!version.empty()) return version;
    return Error{Fault::unsupported,
                 "{}: \"{}\" may have replaced another object: this identity may not look, this server does not obey "
                 "conditions, and the bucket is not versioned; turn versioning on",
                 name(), key};
  }

  Result<std::string> put_by_versions(const std::string& key, std::string_view bytes) {
    TRY(must_be_absent(key));
    TRY(must_be_versioned());
    auto response =
        TRY(client_->send({.method = "PUT", .key = key, .headers = acl_, .body = bytes, .repeatable = false}));
    const std::string version = version_in(response);
    if (version.empty())
      return Error{Fault::busy, "{}: PUT {}: the server gave no version in a versioned bucket", name(), key};
    return claimed(key, version);
  }

  Result<void> must_be_absent(const std::string& key) {
    const auto found = head(key, "");
    if (found) return Error{Fault::conflict, "{}: \"{}\" is there already", name(), key};
    if (found.error().fault() != Fault::absent) return found.error();
    return {};
  }

  Result<void> must_be_versioned() {
    if (versioned_.load()) return {};
    const auto response = TRY(client_->send({.method = "GET", .query = {{"versioning", ""}}}));
    if (!TRY(parse_versioning(response.body)))
      return Error{
          Fault::unsupported,
          "{}: this server cannot store an object only if it is absent, unless versioning of the bucket is on; "
          "turn it on",
          name()};
    versioned_.store(true);
    return {};
  }

  // Whether ours is the oldest since the key was last deleted. If not, another writer was first, and ours goes.
  Result<std::string> claimed(const std::string& key, const std::string& version) {
    bool ours_seen = false, decided = false, first = true;
    TRY(list({.prefix = key, .versions = true}, [&](const ObjectInfo& found) -> Result<void> {
      if (found.key != key || decided) return {};
      if (found.version == version) {
        ours_seen = true;
      } else if (ours_seen) {
        decided = true;
        first = found.delete_marker;
      }
      return {};
    }));
    if (!ours_seen) return Error{Fault::busy, "{}: PUT {}: version {} is not listed", name(), key, version};
    if (first) return version;
    TRY(remove(key, version));
    return Error{Fault::conflict, "{}: \"{}\" is there already: another writer was first", name(), key};
  }

  const std::unique_ptr<S3Client> client_;
  Pairs acl_;  ///< sent with every object that is put
  std::atomic<Way> way_{Way::unknown};
  std::atomic<bool> versioned_{false};
  std::mutex learning_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3_store(World world, S3Options options, S3Credentials credentials) {
  TRY(check_bucket_name(options.bucket));
  auto client = TRY(S3Client::make(world, std::move(options), std::move(credentials)));
  return std::unique_ptr<ObjectStore>(std::make_unique<S3Store>(std::move(client)));
}

Result<void> create_bucket(World world, const S3Options& options, const S3Credentials& credentials, bool versioned) {
  TRY(check_bucket_name(options.bucket));
  S3Credentials copy{credentials.access_key, credentials.secret_key.clone(), credentials.session_token.clone()};
  const auto client = TRY(S3Client::make(world, options, std::move(copy)));
  std::string code;
  auto made = client->send({.method = "PUT"}, &code);
  if (!made && code != "BucketAlreadyOwnedByYou") return std::move(made).error();
  if (!versioned) return {};
  const std::string enabled = format_versioning(true);
  TRY(client->send({.method = "PUT", .query = {{"versioning", ""}}, .body = enabled}));
  return {};
}

}  // namespace enclave::cloud
