#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "cloud/sigv4.h"
#include "cloud/xml_reader.h"
#include "contract/scripted_server.h"
#include "crypto/digest.h"

namespace enclave::cloud {

/// The script of a versioned bucket in memory that answers as S3 does, and misbehaves when it is told to. It checks no
/// signatures. Thread-safe.
class ScriptedS3 {
 public:
  using Request = ScriptedServer::Request;

  /// So many requests are answered with 503 SlowDown.
  void refuse(int requests) { refused_ = requests; }
  /// The next request is done, and its answer lost.
  void lose_next_answer() { lose_ = true; }
  std::size_t open_uploads() {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
  }

  std::string operator()(const Request& request) {
    if (refused_.load() > 0 && refused_.fetch_sub(1) > 0) return error(503, "SlowDown");
    const std::lock_guard lock(mutex_);
    const std::string answer = answer_to(Asked(request), request);
    return lose_.exchange(false) ? std::string() : answer;
  }

 private:
  struct Version {
    std::string id, bytes, etag, metadata;
    bool marker = false;
  };
  struct Upload {
    std::string key, metadata;
    std::map<std::uint32_t, Version> parts;
  };

  /// "/bucket/key?name=value"
  struct Asked {
    explicit Asked(const Request& request) : head(request.head) {
      const auto mark = std::min(request.target.find('?'), request.target.size());
      const auto slash = request.target.find('/', 1);
      if (slash < mark) key = uri_decode(request.target.substr(slash + 1, mark - slash - 1));
      std::string_view rest = std::string_view(request.target).substr(std::min(mark + 1, request.target.size()));
      while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        const auto equals = std::min(one.find('='), one.size());
        query[uri_decode(one.substr(0, equals))] = uri_decode(one.substr(std::min(equals + 1, one.size())));
      }
    }
    bool has(const std::string& name) const { return query.contains(name); }
    std::string value(const std::string& name) const { return has(name) ? query.at(name) : ""; }
    std::string header(std::string_view name) const {
      const auto at = head.find(fmt::format("\r\n{}: ", name));
      if (at == head.npos) return {};
      const auto begin = at + name.size() + 4;
      return head.substr(begin, head.find("\r\n", begin) - begin);
    }
    std::string metadata() const {
      std::string lines;
      for (std::size_t at = 0; (at = head.find("\r\nx-amz-meta-", at)) != head.npos;) {
        at += 2;
        lines += head.substr(at, head.find("\r\n", at) + 2 - at);
      }
      return lines;
    }
    std::string head, key;
    std::map<std::string, std::string> query;
  };

  static std::string error(int status, std::string_view code) {
    return ScriptedServer::answer(status, fmt::format("<Error><Code>{}</Code><RequestId>tx1</RequestId></Error>", code),
                                  "x-amz-request-id: tx1\r\n");
  }
  static std::string good(std::string_view body, std::string_view headers = "", int status = 200) {
    return ScriptedServer::answer(status, body, fmt::format("x-amz-request-id: tx1\r\n{}", headers));
  }
  static std::string text_between(std::string_view text, std::string_view from, std::string_view to, std::size_t& at) {
    const auto begin = text.find(from, at);
    if (begin == text.npos) return {};
    at = text.find(to, begin + from.size());
    return std::string(text.substr(begin + from.size(), at - begin - from.size()));
  }
  static std::string etag_of(std::string_view bytes) { return to_hex(bytes_of(crypto::sha256(bytes))).substr(0, 32); }

  std::string answer_to(const Asked& asked, const Request& request) {
    if (asked.key.empty()) return request.method == "POST" ? delete_many(request.body) : list(asked);
    if (asked.has("uploads")) return begin(asked);
    if (asked.has("uploadId")) return of_upload(asked, request);
    if (request.method == "PUT") return asked.header("x-amz-copy-source").empty() ? put(asked, request) : copy(asked);
    if (request.method == "GET" || request.method == "HEAD") return get(asked, request.method == "HEAD");
    return error(405, "MethodNotAllowed");
  }

  const Version& add(const std::string& key, Version version) {
    version.id = fmt::format("v{}", ++next_);
    auto& all = objects_[key];
    all.insert(all.begin(), std::move(version));
    return all.front();
  }
  const Version* find(const std::string& key, const std::string& id) const {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    for (const auto& version : found->second)
      if (id.empty() || version.id == id) return &version;
    return nullptr;
  }
  static std::string headers_of(const Version& version) {
    return fmt::format("x-amz-version-id: {}\r\nETag: \"{}\"\r\nLast-Modified: Mon, 23 Nov 2026 09:26:33 GMT\r\n{}",
                       version.id, version.etag, version.metadata);
  }

  std::string put(const Asked& asked, const Request& request) {
    return good("", headers_of(add(asked.key, {"", request.body, etag_of(request.body), asked.metadata()})));
  }

  std::string copy(const Asked& asked) {
    std::string source = asked.header("x-amz-copy-source");
    const std::string mark = "?versionId=";
    const auto at = std::min(source.find(mark), source.size());
    const std::string id = at == source.size() ? "" : uri_decode(source.substr(at + mark.size()));
    const auto* from = find(uri_decode(source.substr(0, at)).substr(std::string("/bucket/").size()), id);
    if (from == nullptr || from->marker) return error(404, "NoSuchKey");
    const Version& made = add(asked.key, Version(*from));
    return good(fmt::format("<CopyObjectResult><ETag>{}</ETag></CopyObjectResult>", made.etag), headers_of(made));
  }

  std::string get(const Asked& asked, bool head_only) {
    const std::string id = asked.value("versionId");
    const Version* found = find(asked.key, id);
    const bool there = found != nullptr && !found->marker;
    if (!there && head_only) return "HTTP/1.1 404 Said\r\nContent-Length: 0\r\n\r\n";
    if (!there) return error(404, id.empty() ? "NoSuchKey" : "NoSuchVersion");
    if (head_only)
      return fmt::format("HTTP/1.1 200 Said\r\nContent-Length: {}\r\n{}\r\n", found->bytes.size(), headers_of(*found));
    const std::string only = asked.header("if-match"), range = asked.header("range");
    if (!only.empty() && only != fmt::format("\"{}\"", found->etag)) return error(412, "PreconditionFailed");
    if (range.empty()) return good(found->bytes, headers_of(*found));
    const std::string_view numbers = std::string_view(range).substr(std::string_view("bytes=").size());
    const auto dash = numbers.find('-');
    const std::uint64_t first = parse_number(numbers.substr(0, dash)).value();
    const std::uint64_t last = parse_number(numbers.substr(dash + 1)).value();
    if (first >= found->bytes.size()) return error(416, "InvalidRange");
    const std::string part = found->bytes.substr(first, last - first + 1);
    return good(part,
                headers_of(*found) + fmt::format("Content-Range: bytes {}-{}/{}\r\n", first, first + part.size() - 1,
                                                 found->bytes.size()),
                206);
  }

  std::string begin(const Asked& asked) {
    const std::string id = fmt::format("u{}", ++next_);
    uploads_[id] = {asked.key, asked.metadata(), {}};
    return good(
        fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>", id));
  }

  std::string of_upload(const Asked& asked, const Request& request) {
    const auto found = uploads_.find(asked.value("uploadId"));
    if (found == uploads_.end() || found->second.key != asked.key) return error(404, "NoSuchUpload");
    Upload& upload = found->second;
    if (request.method == "DELETE") {
      uploads_.erase(found);
      return good("", "", 204);
    }
    if (request.method == "PUT") {
      const auto number = static_cast<std::uint32_t>(parse_number(asked.value("partNumber")).value());
      upload.parts[number] = {"", request.body, etag_of(request.body), ""};
      return good("", fmt::format("ETag: \"{}\"\r\n", upload.parts[number].etag));
    }
    if (request.method == "GET") {
      std::string parts;
      for (const auto& [number, part] : upload.parts)
        parts += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag><Size>{}</Size></Part>", number,
                             part.etag, part.bytes.size());
      return good(fmt::format("<ListPartsResult>{}</ListPartsResult>", parts));
    }
    // All parts that were put, in order and with their ETags, each of 5 MiB but the last.
    Version whole{"", "", "", upload.metadata};
    std::size_t at = 0, listed = 0, previous = 5 << 20;
    for (const auto& [number, part] : upload.parts) {
      if (text_between(request.body, "<PartNumber>", "<", at) != std::to_string(number))
        return error(400, "InvalidPart");
      at = request.body.find("&quot;", at);
      if (text_between(request.body, "&quot;", "&quot;</ETag>", at) != part.etag) return error(400, "InvalidPart");
      if (previous < 5 << 20) return error(400, "EntityTooSmall");
      previous = part.bytes.size();
      whole.bytes += part.bytes;
      ++listed;
    }
    whole.etag = fmt::format("{}-{}", etag_of(whole.bytes), listed);
    const Version& made = add(asked.key, std::move(whole));
    uploads_.erase(found);
    return good(
        fmt::format("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", made.etag),
        fmt::format("x-amz-version-id: {}\r\n", made.id));
  }

  // In pages: the marker is what came last.
  std::string list(const Asked& asked) {
    const bool versions = asked.has("versions");
    const std::string marker = versions ? asked.value("key-marker") + "\n" + asked.value("version-id-marker")
                                        : asked.value("continuation-token");
    const std::uint64_t most = parse_number(asked.value("max-keys")).value();
    bool seen = marker.empty() || marker == "\n", more = false;
    std::string entries, last;
    std::uint64_t count = 0;
    for (const auto& [key, all] : objects_) {
      for (const auto& version : all) {
        const bool latest = &version == &all.front();
        if (!key.starts_with(asked.value("prefix")) || (!versions && (!latest || version.marker))) continue;
        const std::string here = versions ? key + "\n" + version.id : key;
        if (!seen) {
          seen = here == marker;
          continue;
        }
        if (count++ == most) more = true;
        if (more) break;
        last = here;
        const char* element = !versions ? "Contents" : version.marker ? "DeleteMarker" : "Version";
        entries += fmt::format(
            "<{0}><Key>{1}</Key><VersionId>{2}</VersionId><IsLatest>{3}</IsLatest><Size>{4}</Size><ETag>\"{5}\"</ETag>"
            "<LastModified>2026-11-23T09:26:33.000Z</LastModified></{0}>",
            element, uri_encode(key, false), version.id, latest, version.bytes.size(), version.etag);
      }
      if (more) break;
    }
    std::string next;
    if (more && versions)
      next = fmt::format("<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{}</NextVersionIdMarker>",
                         uri_encode(last.substr(0, last.find('\n')), false), last.substr(last.find('\n') + 1));
    if (more && !versions) next = fmt::format("<NextContinuationToken>{}</NextContinuationToken>", xml_escaped(last));
    return good(fmt::format("<{0}><EncodingType>url</EncodingType><IsTruncated>{1}</IsTruncated>{2}{3}</{0}>",
                            versions ? "ListVersionsResult" : "ListBucketResult", more, next, entries));
  }

  std::string delete_many(const std::string& body) {
    std::string done;
    for (std::size_t at = 0;;) {
      std::size_t in = 0;
      const std::string one = text_between(body, "<Object>", "</Object>", at);
      if (one.empty()) break;
      const std::string key = text_between(one, "<Key>", "</Key>", in);
      const std::string id = text_between(one, "<VersionId>", "</VersionId>", in);
      if (id.empty()) {
        add(key, {"", "", "", "", true});
      } else {
        std::erase_if(objects_[key], [&](const Version& version) { return version.id == id; });
      }
      done += fmt::format("<Deleted>{}</Deleted>", one);
    }
    return good(fmt::format("<DeleteResult>{}</DeleteResult>", done));
  }

  std::atomic<int> refused_{0};
  std::atomic<bool> lose_{false};
  std::mutex mutex_;
  int next_ = 0;
  std::map<std::string, std::vector<Version>> objects_;
  std::map<std::string, Upload> uploads_;
};

}  // namespace enclave::cloud
