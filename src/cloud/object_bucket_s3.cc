#include <algorithm>

#include "base/encoding.h"
#include "cloud/object_bucket.h"
#include "cloud/s3_client.h"
#include "cloud/s3_errors.h"
#include "cloud/s3_objects.h"
#include "cloud/s3_xml.h"
#include "cloud/xml_reader.h"

namespace enclave::cloud {
namespace {

constexpr std::string_view kMeta = "x-amz-meta-";

Pairs version_query(const std::string& version) { return version.empty() ? Pairs() : Pairs{{"versionId", version}}; }

ObjectHead head_in(const std::string& key, const std::string& version, const io::HttpResponse& response) {
  ObjectHead head;
  head.info.key = key;
  head.info.etag = unquoted(response.header("etag"));
  const auto told = response.header("x-amz-version-id");
  head.info.version = told == "null" ? std::string_view() : told;
  head.info.latest = version.empty();
  if (const auto modified = parse_http_date(response.header("last-modified"))) head.info.modified_ns = *modified;
  for (const auto& [name, value] : response.headers)
    if (name.starts_with(kMeta)) head.metadata.emplace_back(name.substr(kMeta.size()), value);
  return head;
}

// "bytes 5-9/1234"
Result<std::uint64_t> whole_of(std::string_view content_range) {
  return parse_number(content_range.substr(std::min(content_range.rfind('/') + 1, content_range.size())));
}

class S3ObjectBucket final : public ObjectBucket {
 public:
  explicit S3ObjectBucket(S3Bucket& bucket) : bucket_(bucket) {}

  Result<ObjectHead> head(const std::string& key, const std::string& version, S3Told& told) override {
    TRY(check_key(key));
    auto response = client().send({.method = "HEAD", .key = key, .query = version_query(version)}, told);
    if (!response) return missing(key, version, std::move(response).error(), told);
    ObjectHead head = head_in(key, version, *response);
    const auto bytes = parse_number(response->header("content-length"));
    if (!bytes) return Error{Fault::corrupt, "{}: HEAD {}: the server tells no size", name(), key};
    head.info.bytes = *bytes;
    return head;
  }

  Result<ObjectPart> range(const std::string& key, const std::string& version, std::uint64_t first, std::uint64_t count,
                           const std::string& etag, S3Told& told) override {
    TRY(check_key(key));
    ENSURE(count > 0);
    S3Request request{.method = "GET",
                      .key = key,
                      .query = version_query(version),
                      .headers = {{"range", fmt::format("bytes={}-{}", first, first + count - 1)}},
                      .response_bytes_max = count};
    if (!etag.empty()) request.headers.emplace_back("if-match", fmt::format("\"{}\"", etag));
    auto response = client().send(request, told);
    if (!response && told.code == "InvalidRange") {
      ObjectPart none;
      none.head = TRY(head(key, version, told));
      return none;
    }
    if (!response) return missing(key, version, std::move(response).error(), told);
    ObjectPart part{head_in(key, version, *response), {}};
    const auto wrong = [&](std::string_view what) {
      return Error{Fault::corrupt, "{}: GET {}: {}", name(), key, what};
    };
    if (!etag.empty() && part.head.info.etag != etag)
      return Error{Fault::conflict, "{}: {} has changed while it was read", name(), key};
    if (response->status != 206 && first != 0) return wrong("the server does not give parts of an object");
    const auto whole = response->status == 206 ? whole_of(response->header("content-range"))
                                               : Result<std::uint64_t>(response->body.size());
    if (!whole) return wrong("a part without Content-Range");
    part.head.info.bytes = *whole;
    if (response->body.size() != std::min(count, *whole - std::min(first, *whole)))
      return wrong("the part has another length than was asked for");
    part.bytes = std::move(response->body);
    return part;
  }

  Result<std::string> put(const std::string& key, std::string_view bytes, const Pairs& metadata,
                          S3Told& told) override {
    TRY(check_key(key));
    S3Request request{.method = "PUT", .key = key, .headers = headers_of(metadata), .body = bytes};
    return version_in(TRY(client().send(request, told)));
  }

  Result<PendingUpload> begin(const std::string& key, const Pairs& metadata, S3Told& told) override {
    TRY(check_key(key));
    S3Request request{
        .method = "POST", .key = key, .query = {{"uploads", ""}}, .headers = headers_of(metadata), .body = {}};
    const auto response = TRY(client().send(request, told));
    return PendingUpload{key, TRY(parse_begun(response.body))};
  }

  Result<UploadPart> put_part(const PendingUpload& upload, std::uint32_t number, std::uint64_t /*offset*/,
                              std::string_view bytes, S3Told& told) override {
    TRY(check(upload));
    const S3Request request{.method = "PUT",
                            .key = upload.key,
                            .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}},
                            .body = bytes};
    const auto response = TRY(client().send(request, told));
    UploadPart part{number, unquoted(response.header("etag")), bytes.size()};
    if (part.etag.empty())
      return Error{Fault::corrupt, "{}: part {} of {}: the server gave no ETag", name(), number, upload.key};
    return part;
  }

  Result<std::string> complete(const PendingUpload& upload, std::vector<UploadPart> parts, S3Told& told) override {
    TRY(check(upload));
    std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    const std::string body = format_complete(parts);
    const S3Request request{.method = "POST",
                            .key = upload.key,
                            .query = {{"uploadId", upload.id}},
                            .headers = {{"content-type", "application/xml"}},
                            .body = body,
                            .repeatable = false};
    const auto response = TRY(client().send(request, told));
    TRY(parse_completed(response.body));
    return version_in(response);
  }

  Result<void> abort(const PendingUpload& upload) override {
    return abort_upload(bucket_, MultipartUpload{upload.key, upload.id});
  }
  Result<std::vector<UploadPart>> parts(const PendingUpload& upload) override {
    return list_parts(bucket_, MultipartUpload{upload.key, upload.id});
  }
  Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) override {
    Pairs at;
    std::string last;
    for (;;) {
      const ListPage page = TRY(page_at(listing, at));
      for (const auto& entry : page.entries) {
        // A list that goes back might never end.
        if (entry.key < last)
          return Error{Fault::corrupt, "{}: the server lists \"{}\" behind \"{}\"", name(), entry.key, last};
        last = entry.key;
        TRY(visit(entry));
      }
      if (!page.truncated) return {};
      const Pairs before = std::move(at);
      at = listing.versions ? Pairs{{"key-marker", page.next_key}} : Pairs{{"continuation-token", page.next_token}};
      if (listing.versions && !page.next_version.empty()) at.emplace_back("version-id-marker", page.next_version);
      if (at == before) return Error{Fault::corrupt, "{}: the server's list does not go on", name()};
    }
  }
  Result<std::string> restore(const std::string& key, const std::string& version) override {
    return TRY(copy_object(bucket_, "", KeyVersion{key, version}, key)).version;
  }
  Result<Deleted> remove(const std::vector<KeyVersion>& which) override { return delete_objects(bucket_, which); }
  std::string name() const override { return bucket_.client().name(); }

 private:
  S3Client& client() { return bucket_.client(); }

  Result<ListPage> page_at(const Listing& listing, const Pairs& at) {
    Pairs query = at;
    if (listing.versions) query.emplace_back("versions", "");
    if (!listing.versions) query.emplace_back("list-type", "2");
    query.emplace_back("encoding-type", "url");
    query.emplace_back("max-keys", std::to_string(client().options().list_page));
    if (!listing.prefix.empty()) query.emplace_back("prefix", listing.prefix);
    const auto response =
        TRY(client().send({.method = "GET", .query = std::move(query), .response_bytes_max = kListBytesMax}));
    auto page = listing.versions ? parse_versions(response.body) : parse_objects(response.body);
    if (!page) return std::move(page).error().within(name());
    return page;
  }

  static std::string version_in(const io::HttpResponse& response) {
    const auto version = response.header("x-amz-version-id");
    return version == "null" ? std::string() : std::string(version);
  }
  static Pairs headers_of(const Pairs& metadata) {
    Pairs headers{{"content-type", "application/octet-stream"}};
    for (const auto& [name, value] : metadata) headers.emplace_back(std::string(kMeta) + name, value);
    return headers;
  }
  // Without an id it would be a request for the object itself.
  static Result<void> check(const PendingUpload& upload) {
    TRY(check_key(upload.key));
    if (upload.id.empty()) return Error{Fault::invalid, "\"{}\": an upload without an id", upload.key};
    return {};
  }
  Error missing(const std::string& key, const std::string& version, Error error, const S3Told& told) const {
    if (told.code == "NoSuchKey" || (error.fault() == Fault::absent && told.code.empty() && version.empty()))
      return Error{Fault::absent, "{}: there is no object \"{}\"", name(), key};
    // A version that is a delete marker answers "method not allowed"; one that is no such id is "invalid" to some.
    const Fault fault = error.fault();
    if (!version.empty() && (fault == Fault::absent || fault == Fault::unsupported || fault == Fault::invalid))
      return Error{Fault::absent, "{}: there is no version {} of \"{}\" ({})", name(), version, key, error.text()};
    return error;
  }

  S3Bucket& bucket_;
};

}  // namespace

std::unique_ptr<ObjectBucket> object_bucket(S3Bucket& bucket) { return std::make_unique<S3ObjectBucket>(bucket); }

}  // namespace enclave::cloud
