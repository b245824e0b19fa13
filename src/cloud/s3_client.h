#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "cloud/s3_store.h"
#include "cloud/sigv4.h"
#include "io/host.h"
#include "io/http.h"

namespace enclave::cloud {

struct S3Request {
  std::string method;
  std::string key = {};  ///< empty: the bucket itself
  Pairs query = {};
  Pairs headers = {};  ///< names in lower case
  std::string_view body = {};
  std::uint64_t response_bytes_max = 64 << 10;
  /// False: what the server may have done already is not sent again.
  bool repeatable = true;
};

/// Sends signed requests for one bucket, again while the server is busy, and turns error answers into Errors that keep
/// the status, the server's code, request id and resource. Thread-safe.
class S3Client {
 public:
  static Result<std::unique_ptr<S3Client>> make(World world, S3Options options, S3Credentials credentials);

  /// The answer, with a status of 200 to 299. `code` becomes the server's code of an error answer, such as
  /// NoSuchBucket.
  Result<io::HttpResponse> send(const S3Request& request, std::string* code = nullptr);

  const S3Options& options() const { return options_; }
  std::string name() const;

 private:
  struct Attempt;
  S3Client(World world, S3Options options, S3Credentials credentials, std::unique_ptr<io::HttpClient> http,
           io::Waiter waiter);
  Attempt attempt(const S3Request& request);
  io::HttpRequest signed_request(const S3Request& request) const;
  Error error_of(const S3Request& request, const io::HttpResponse& response) const;
  bool correct_clock(const io::HttpResponse& response);
  Nanoseconds random_pause(unsigned attempts);

  World world_;
  const S3Options options_;
  const S3Credentials credentials_;
  std::string scheme_;
  std::string host_;  ///< as the Host header says it
  std::string base_;  ///< path before the key: "/bucket" or ""
  const std::unique_ptr<io::HttpClient> http_;
  io::Waiter waiter_;
  std::atomic<std::int64_t> skew_ns_{0};  ///< what the server's clock is ahead of ours
};

}  // namespace enclave::cloud
