#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "cloud/retry_budget.h"
#include "cloud/s3_endpoint.h"
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
  /// To the account instead of the bucket; `key` is empty then.
  bool account = false;
};

/// What the server calls its answer: for records of who did what.
struct S3Told {
  std::string code;        ///< of an error answer, such as NoSuchBucket
  std::string request_id;  ///< of the last answer
};

/// The query that names a version; none for the latest.
Pairs version_query(const std::string& version);
/// Which version the answer is about; "" where the bucket keeps none.
std::string version_in(const io::HttpResponse& response);
/// What the headers of an answer say of the object, but for its size: whose size they tell depends on the request.
ObjectInfo info_in(const std::string& key, const std::string& version, const io::HttpResponse& response);

/// Sends signed requests for one bucket, and turns error answers into Errors that keep the status, the server's code,
/// request id and resource. Corrects a wrong clock by the server's date, and a wrong region by what the server says of
/// it, each once per request. Credentials go to the endpoint's host and its sub-host of the bucket only; an endpoint of
/// Amazon's is exchanged for that of the bucket's region. Thread-safe.
class S3Client {
 public:
  static Result<std::unique_ptr<S3Client>> make(World world, S3Options options, S3Credentials credentials);

  /// The answer, with a status of 200 to 299; asks again while the server is busy. `code` becomes the server's code of
  /// an error answer, such as NoSuchBucket. Repetitions are at most about 10 % of the requests, but for a few at once
  /// (RetryBudget): a server in trouble is not pushed further.
  Result<io::HttpResponse> send(const S3Request& request, std::string* code = nullptr);
  Result<io::HttpResponse> send(const S3Request& request, S3Told& told);
  /// One answer, whatever its status. Faults: busy (network), denied (TLS), limit (the body is larger).
  Result<io::HttpResponse> ask(const S3Request& request);

  /// What an error answer, or a web page in place of an answer, means.
  Error error_of(const S3Request& request, const io::HttpResponse& response) const;
  /// "GET https://host/bucket/key?acl (unsigned)". Never a signature.
  std::string line_of(const S3Request& request) const;
  /// A URL that does this request for whoever holds it, for `valid` (1 second to 7 days; more is Fault::invalid). Only
  /// the Host header is signed; headers of the request are not allowed.
  Result<std::string> presigned(const S3Request& request, Nanoseconds valid) const;

  const S3Options& options() const { return options_; }
  std::string name() const;
  /// What requests are signed for at the moment.
  std::string region() const { return place().region; }

 private:
  struct Attempt;
  struct Mended {
    bool clock = false, region = false;
  };
  S3Client(World world, S3Options options, S3Credentials credentials, std::unique_ptr<io::HttpClient> http,
           io::Waiter waiter);
  Attempt attempt(const S3Request& request, Mended& mended);
  Result<io::HttpResponse> exchanged(const S3Request& request, bool* unsent);
  io::HttpRequest request_for(const S3Request& request) const;
  SigningRequest unsigned_form(const S3Request& request, const S3Place& place) const;
  bool mend(const io::HttpResponse& response, Mended& mended);
  bool correct_clock(const io::HttpResponse& response);
  bool correct_region(const io::HttpResponse& response);
  Nanoseconds random_pause(unsigned attempts);
  S3Place place() const;

  World world_;
  const S3Options options_;
  const S3Credentials credentials_;
  mutable std::mutex mutex_;
  S3Place place_;
  RetryBudget budget_;
  const std::unique_ptr<io::HttpClient> http_;
  io::Waiter waiter_;
  std::atomic<std::int64_t> skew_ns_{0};  ///< what the server's clock is ahead of ours
};

/// ObjectStore::list() of the client's bucket.
Result<void> list_objects(S3Client& client, const Listing& listing,
                          const std::function<Result<void>(const ObjectInfo&)>& visit);

}  // namespace enclave::cloud
