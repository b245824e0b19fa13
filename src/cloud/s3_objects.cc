#include "cloud/s3_objects.h"

#include <algorithm>

#include "base/encoding.h"
#include "cloud/s3_errors.h"
#include "cloud/xml_reader.h"
#include "crypto/md5.h"

namespace enclave::cloud {
namespace {

constexpr std::size_t kDeletedAtOnce = 1000;
constexpr std::uint32_t kPartsMax = 10'000;

constexpr std::string_view kMeta = "x-amz-meta-";

void add_headers(const ObjectHeaders& wanted, Pairs& headers) {
  if (!wanted.content_type.empty()) headers.emplace_back("content-type", wanted.content_type);
  for (const auto& [name, value] : wanted.metadata) headers.emplace_back(std::string(kMeta) + name, value);
}

// What an answer means when it is no answer, told with the place.
template <class T>
Result<T> read(S3Bucket& bucket, std::string_view what, Result<T> parsed) {
  if (parsed) return parsed;
  return std::move(parsed).error().within(fmt::format("{}: {}", bucket.client().name(), what));
}

Result<io::HttpResponse> send(S3Bucket& bucket, const S3Request& request, S3Told* told) {
  S3Told unread;
  return bucket.client().send(request, told == nullptr ? unread : *told);
}

// Whole where it is that of a part: "bytes 5-9/1234".
Result<std::uint64_t> whole_of(std::string_view content_range) {
  return parse_number(content_range.substr(std::min(content_range.rfind('/') + 1, content_range.size())));
}

ObjectHead head_in(const std::string& key, const std::string& version, const io::HttpResponse& response) {
  ObjectHead head{info_in(key, version, response), {}};
  for (const auto& [name, value] : response.headers)
    if (name.starts_with(kMeta)) head.metadata.emplace_back(name.substr(kMeta.size()), value);
  return head;
}

Error missing(S3Bucket& bucket, const std::string& key, const std::string& version, Error error, const S3Told& told) {
  const Fault fault = error.fault();
  if (told.code == "NoSuchKey" || (fault == Fault::absent && told.code.empty() && version.empty()))
    return Error{Fault::absent, "{}: there is no object \"{}\"", bucket.client().name(), key};
  // A version that is a delete marker answers "method not allowed"; one that is no such id is "invalid" to some.
  if (!version.empty() && (fault == Fault::absent || fault == Fault::unsupported || fault == Fault::invalid))
    return Error{Fault::absent, "{}: there is no version {} of \"{}\" ({})", bucket.client().name(), version, key,
                 error.text()};
  return error;
}

Result<void> check_upload(const MultipartUpload& upload) {
  TRY(check_key(upload.key));
  // Without an id these would be requests for the object itself.
  if (upload.id.empty()) return Error{Fault::invalid, "\"{}\": an upload without an id", upload.key};
  return {};
}

Result<void> delete_batch(S3Bucket& bucket, const std::vector<KeyVersion>& batch, Deleted& all) {
  if (batch.empty()) return {};
  const std::string body = format_delete(batch);
  const S3Request request{
      .method = "POST",
      .query = {{"delete", ""}},
      .headers = {{"content-md5", to_base64(TRY(crypto::md5(body)))}, {"content-type", "application/xml"}},
      .body = body,
      .response_bytes_max = kResultBytesMax};
  const auto response = TRY(bucket.client().send(request));
  Deleted told = TRY(read(bucket, "POST ?delete", parse_deleted(response.body)));
  for (const auto& one : batch) {
    const auto same = [&](const KeyVersion& other) {
      return other.key == one.key && (other.version.empty() || one.version.empty() || other.version == one.version);
    };
    const auto failed = std::find_if(told.failed.begin(), told.failed.end(),
                                     [&](const DeleteFailure& failure) { return same(failure.which); });
    if (failed != told.failed.end()) {
      all.failed.push_back({one, failed->code, failed->message});
      told.failed.erase(failed);
    } else if (std::any_of(told.done.begin(), told.done.end(), same)) {
      all.done.push_back(one);
    } else {
      all.failed.push_back({one, "Unanswered", "the server does not say what became of it"});
    }
  }
  return {};
}

Result<void> delete_one(S3Bucket& bucket, const KeyVersion& one, Deleted& all) {
  const S3Request request{.method = "DELETE", .key = one.key, .query = version_query(one.version)};
  std::string code;
  const auto response = bucket.client().send(request, &code);
  if (response || code == "NoSuchKey" || code == "NoSuchVersion") {
    all.done.push_back(one);
    return {};
  }
  if (code.empty() || code == "NoSuchBucket") return response.error();
  all.failed.push_back({one, code, response.error().text()});
  return {};
}

}  // namespace

Result<void> check_key(std::string_view key) {
  // An empty key would name the bucket: a DELETE of it must never be sent.
  if (key.empty() || key.size() > 1024)
    return Error{Fault::invalid, "the key \"{}…\" has {} bytes; keys have 1 to 1,024", key.substr(0, 100), key.size()};
  if (!is_utf8(key) || key.find('\0') != std::string_view::npos)
    return Error{Fault::invalid, "a key of {} bytes is not UTF-8 or holds a NUL byte", key.size()};
  return {};
}

Result<ObjectHead> head_object(S3Bucket& bucket, const std::string& key, const std::string& version, S3Told* told) {
  TRY(check_key(key));
  S3Told unread;
  S3Told& answered = told == nullptr ? unread : *told;
  auto response = bucket.client().send({.method = "HEAD", .key = key, .query = version_query(version)}, answered);
  if (!response) return missing(bucket, key, version, std::move(response).error(), answered);
  ObjectHead head = head_in(key, version, *response);
  const auto bytes = parse_number(response->header("content-length"));
  if (!bytes) return Error{Fault::corrupt, "{}: HEAD {}: the server tells no size", bucket.client().name(), key};
  head.info.bytes = *bytes;
  return head;
}

Result<ObjectPart> get_range(S3Bucket& bucket, const std::string& key, const std::string& version, std::uint64_t first,
                             std::uint64_t count, std::string_view etag, S3Told* told) {
  TRY(check_key(key));
  if (count == 0 || first > UINT64_MAX - count) return Error{Fault::invalid, "a range of {} bytes", count};
  S3Request request{.method = "GET",
                    .key = key,
                    .query = version_query(version),
                    .headers = {{"range", fmt::format("bytes={}-{}", first, first + count - 1)}},
                    .response_bytes_max = count};
  if (!etag.empty()) request.headers.emplace_back("if-match", fmt::format("\"{}\"", etag));
  S3Told unread;
  S3Told& answered = told == nullptr ? unread : *told;
  auto response = bucket.client().send(request, answered);
  if (!response && answered.code == "InvalidRange") {
    ObjectPart none;
    none.head = TRY(head_object(bucket, key, version, &answered));
    return none;
  }
  if (!response) return missing(bucket, key, version, std::move(response).error(), answered);
  ObjectPart part{head_in(key, version, *response), {}};
  const auto wrong = [&](std::string_view what) {
    return Error{Fault::corrupt, "{}: GET {}: {}", bucket.client().name(), key, what};
  };
  // First of all: of another object, the shape proves nothing.
  if (!etag.empty() && part.head.info.etag != etag)
    return Error{Fault::conflict, "{}: {} has changed while it was read", bucket.client().name(), key};
  // A server that ignores ranges gives all of it.
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

Result<std::string> put_object(S3Bucket& bucket, const std::string& key, std::string_view bytes,
                               const ObjectHeaders& headers, S3Told* told) {
  TRY(check_key(key));
  S3Request request{.method = "PUT", .key = key, .body = bytes};
  add_headers(headers, request.headers);
  return version_in(TRY(send(bucket, request, told)));
}

Result<Copied> copy_object(S3Bucket& bucket, const std::string& source_bucket, const KeyVersion& source,
                           const std::string& key, const std::optional<ObjectHeaders>& headers) {
  TRY(check_key(key));
  TRY(check_key(source.key));
  const std::string& from = source_bucket.empty() ? bucket.name() : source_bucket;
  std::string place = fmt::format("/{}/{}", uri_encode(from, false), uri_encode(source.key, true));
  if (!source.version.empty()) place += "?versionId=" + uri_encode(source.version, false);
  S3Request request{.method = "PUT", .key = key, .headers = {{"x-amz-copy-source", place}}};
  if (headers) {
    request.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
    add_headers(*headers, request.headers);
  }
  const auto response = TRY(bucket.client().send(request));
  Copied copied;
  copied.etag = TRY(read(bucket, "copying to " + key, parse_copied(response.body)));
  copied.version = version_in(response);
  return copied;
}

Result<Deleted> delete_objects(S3Bucket& bucket, const std::vector<KeyVersion>& which) {
  for (const auto& one : which) TRY(check_key(one.key));
  Deleted all;
  std::vector<KeyVersion> batch;
  for (const auto& one : which) {
    if (!xml_can_hold(one.key)) {
      TRY(delete_one(bucket, one, all));
      continue;
    }
    batch.push_back(one);
    if (batch.size() < kDeletedAtOnce) continue;
    TRY(delete_batch(bucket, batch, all));
    batch.clear();
  }
  TRY(delete_batch(bucket, batch, all));
  return all;
}

Result<std::string> presigned_url(S3Bucket& bucket, std::string_view method, const std::string& key,
                                  const std::string& version, Nanoseconds valid) {
  TRY(check_key(key));
  if (method != "GET" && method != "PUT" && method != "HEAD" && method != "DELETE")
    return Error{Fault::invalid, "a presigned URL for {}; GET, PUT, HEAD and DELETE are possible", method};
  return bucket.client().presigned({.method = std::string(method), .key = key, .query = version_query(version)}, valid);
}

Result<MultipartUpload> begin_upload(S3Bucket& bucket, const std::string& key, const ObjectHeaders& headers,
                                     S3Told* told) {
  TRY(check_key(key));
  S3Request request{.method = "POST", .key = key, .query = {{"uploads", ""}}};
  add_headers(headers, request.headers);
  const auto response = TRY(send(bucket, request, told));
  MultipartUpload upload{key, {}};
  upload.id = TRY(read(bucket, "POST ?uploads of " + key, parse_begun(response.body)));
  return upload;
}

Result<UploadPart> put_part(S3Bucket& bucket, const MultipartUpload& upload, std::uint32_t number,
                            std::string_view bytes, S3Told* told) {
  TRY(check_upload(upload));
  if (number < 1 || number > kPartsMax) return Error{Fault::invalid, "part {}; 1 to 10,000 are possible", number};
  const S3Request request{.method = "PUT",
                          .key = upload.key,
                          .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}},
                          .body = bytes};
  const auto response = TRY(send(bucket, request, told));
  UploadPart part{number, unquoted(response.header("etag")), bytes.size()};
  if (part.etag.empty())
    return Error{Fault::corrupt, "{}: part {} of {}: the server gave no ETag", bucket.client().name(), number,
                 upload.key};
  return part;
}

Result<Copied> complete_upload(S3Bucket& bucket, const MultipartUpload& upload, std::vector<UploadPart> parts,
                               S3Told* told) {
  TRY(check_upload(upload));
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  const std::string body = format_complete(parts);
  const S3Request request{.method = "POST",
                          .key = upload.key,
                          .query = {{"uploadId", upload.id}},
                          .headers = {{"content-type", "application/xml"}},
                          .body = body,
                          .repeatable = false};
  const auto response = TRY(send(bucket, request, told));
  Copied made;
  made.etag = TRY(read(bucket, "completing " + upload.key, parse_completed(response.body)));
  made.version = version_in(response);
  return made;
}

Result<void> abort_upload(S3Bucket& bucket, const MultipartUpload& upload) {
  TRY(check_upload(upload));
  const auto response =
      bucket.client().send({.method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}});
  if (response || response.error().fault() == Fault::absent) return {};
  return response.error();
}

Result<std::vector<UploadPart>> list_parts(S3Bucket& bucket, const MultipartUpload& upload) {
  TRY(check_upload(upload));
  std::vector<UploadPart> all;
  std::uint32_t marker = 0;
  for (;;) {
    S3Request request{.method = "GET",
                      .key = upload.key,
                      .query = {{"uploadId", upload.id}, {"max-parts", "1000"}},
                      .response_bytes_max = kResultBytesMax};
    if (marker != 0) request.query.emplace_back("part-number-marker", std::to_string(marker));
    const auto response = TRY(bucket.client().send(request));
    const auto page = TRY(read(bucket, "the parts of " + upload.key, parse_parts(response.body)));
    all.insert(all.end(), page.parts.begin(), page.parts.end());
    if (!page.truncated) return all;
    if (page.next <= marker || all.size() > kPartsMax)
      return Error{Fault::corrupt, "{}: the list of parts of {} does not go on", bucket.client().name(), upload.key};
    marker = page.next;
  }
}

Result<std::vector<Upload>> list_uploads(S3Bucket& bucket, const std::string& prefix, std::size_t at_most) {
  std::vector<Upload> all;
  Pairs at;
  for (;;) {
    S3Request request{.method = "GET", .query = at, .response_bytes_max = kResultBytesMax};
    request.query.emplace_back("uploads", "");
    // No encoding-type: Ceph encodes the keys then and does not say so.
    request.query.emplace_back("max-uploads", std::to_string(bucket.client().options().list_page));
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    const auto response = TRY(bucket.client().send(request));
    auto page = TRY(read(bucket, "the unfinished uploads", parse_uploads(response.body)));
    for (auto& upload : page.uploads) all.push_back(std::move(upload));
    if (!page.truncated) return all;
    const Pairs before = std::move(at);
    at = {{"key-marker", page.next_key}};
    if (!page.next_id.empty()) at.emplace_back("upload-id-marker", page.next_id);
    if (at == before)
      return Error{Fault::corrupt, "{}: the list of unfinished uploads does not go on", bucket.client().name()};
    if (all.size() >= at_most)
      return Error{Fault::limit, "{}: more than {} unfinished uploads", bucket.client().name(), at_most};
  }
}

Result<Account> list_buckets(S3Bucket& bucket) {
  const auto response =
      TRY(bucket.client().send({.method = "GET", .response_bytes_max = kResultBytesMax, .account = true}));
  return read(bucket, "the list of buckets", parse_account(response.body));
}

}  // namespace enclave::cloud
