#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/capabilities.h"
#include "cloud/s3_documents.h"

/// What the files capability_*.cc share: canary buckets, and requests whose answers become evidence.
namespace enclave::cloud::probing {

/// What was sent and answered for one capability, line by line. A request that got no answer is a line too.
class Trace {
 public:
  /// `response.status` is 0 when there was no answer; then error.message says why.
  S3Answer ask(S3Bucket& bucket, const S3Request& request, std::string_view note = "");
  void say(std::string_view line);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// PUT of a sub-resource with its document and the MD5 that many servers want.
S3Request put_setting(std::string_view query, std::string_view document);
/// GET, PUT or DELETE of an object or, without a key, of the bucket.
S3Request plain_request(std::string_view method, std::string_view key = "", std::string_view body = "");
S3Request sub_request(std::string_view method, std::string_view query, std::string_view key = "");

/// A document with such a rule, on objects that there are none of.
std::string canary_lifecycle(std::optional<std::uint32_t> noncurrent_days,
                             std::optional<std::uint32_t> abort_upload_days = {});

/// What the answer to a well-formed change says: 2xx works, 403 refused, 501 and the like absent.
Support support_of(const S3Answer& answer);
/// Whether it answered 2xx with a document whose root element is one of these two.
bool holds(const S3Answer& answer, std::string_view root, std::string_view other_root = "");

/// A bucket that nobody will miss.
struct Canary {
  std::string name;
  std::unique_ptr<S3Bucket> owner;
  std::unique_ptr<S3Bucket> anonymous;   ///< nullptr: no such way
  std::unique_ptr<S3Bucket> plain_http;  ///< nullptr: no such way
};

class Prober {
 public:
  Prober(World world, const ProbeReach& reach, const std::function<void(std::string_view)>& progress,
         Capabilities& found)
      : world_(world), reach_(reach), progress_(progress), found_(found) {}
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// A new canary bucket. It is removed by clean_up().
  Result<Canary*> make_canary(const NewBucket& wanted);
  /// Puts a new bucket in the place of one that a request has removed. Not of the same name: servers take a while
  /// until a name can be used again.
  Result<void> revive(Canary& canary);
  /// Tries one capability and takes it down.
  void probe(std::string_view id, std::string_view title, const std::function<Support(Trace&)>& attempt);
  /// Takes down what cannot be tried because something that it needs is not there.
  void without(std::string_view id, std::string_view title, Support support, std::string_view reason);
  /// Seconds since the epoch by the server's clock, as its latest answer says.
  std::int64_t server_seconds(const S3Answer& answer) const;
  /// Removes every canary; what is locked until a time soon is waited for, about ten seconds.
  void clean_up();

  Support of(std::string_view id) const { return found_.of(id); }
  World world() const { return world_; }

 private:
  World world_;
  const ProbeReach& reach_;
  const std::function<void(std::string_view)>& progress_;
  Capabilities& found_;
  std::vector<std::unique_ptr<Canary>> canaries_;
};

inline constexpr std::string_view kObject = "enclave-canary";
/// How long a version is held by COMPLIANCE, where that is tried.
inline constexpr int kComplianceSeconds = 6;

/// "2026-11-23T09:26:33Z" of seconds since the epoch.
std::string iso_time(std::int64_t seconds);

// One family of capabilities each.
void probe_versions(Prober& prober, Canary& canary);
void probe_access(Prober& prober, Canary& canary);
void probe_policy(Prober& prober, Canary& canary);
void probe_lock(Prober& prober);
void probe_settings(Prober& prober, Canary& canary);
void probe_encryption(Prober& prober, Canary& canary);
/// On an empty canary of its own: some of these deletes remove the bucket.
void probe_deletes(Prober& prober);

}  // namespace enclave::cloud::probing
