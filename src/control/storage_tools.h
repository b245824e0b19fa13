#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cloud/s3_bucket.h"
#include "cloud/s3_documents.h"
#include "control/control.h"
#include "control/storage_reach.h"

/// What the controls of storage/ share.
namespace enclave::control {

inline constexpr std::string_view kNist = "NIST SP 800-53 rev. 5";
inline constexpr std::string_view kCis = "CIS AWS Foundations 3.0.0";
inline constexpr std::string_view kFsbp = "AWS FSBP";
/// Controls of AWS Security Hub that do not belong to FSBP.
inline constexpr std::string_view kSecurityHub = "AWS Security Hub";

/// Every bucket of the configuration, the log bucket also where the file does not name it. None for file:// endpoints.
std::vector<Subject> all_buckets(const pipeline::Config& config);
std::vector<Subject> log_bucket_only(const pipeline::Config& config);
/// What the configuration says of this bucket.
pipeline::BucketConfig wanted_bucket(const pipeline::Config& config, const std::string& name);
bool is_log_bucket(const pipeline::Config& config, const std::string& name);
/// Whole days, rounded up.
std::uint64_t days_of(Nanoseconds duration);

void add(Facts& facts, std::string_view name, std::string_view value, std::string_view evidence = "");

/// The bucket, with the fact "bucket" (ours, absent or others) taken down; nullptr when it is not ours.
Result<cloud::S3Bucket*> our_bucket(Reach& reach, const Subject& subject, Facts& facts);
/// What every control says of a bucket that is absent or somebody else's; nullopt when it is ours.
std::optional<Finding> judge_ownership(const Facts& facts);
bool is_ours(const Facts& facts);
/// Somebody else's bucket is never changed.
bool is_others(const Facts& facts);

/// The document, or "" when it was never set. `known` becomes false when the server does not know this setting.
Result<std::string> read_setting(cloud::S3Bucket& bucket, cloud::Setting setting, bool* known = nullptr);
/// Writes it, or, when `document` is empty, removes the setting, where a canary has proven that this is safe.
Result<void> put_back(Reach& reach, cloud::S3Bucket& bucket, cloud::Setting setting, std::string_view document);

/// What a Change keeps of a document: never empty, since that would mean "cannot be undone".
std::string keep_document(std::string_view document);
/// The document again. Fault::corrupt when it was not kept by keep_document().
Result<std::string> kept_document(const Change& change);

/// Objects below "enclave-canary/", which are removed again.
class CanaryObjects {
 public:
  /// In a locked bucket each gets a short GOVERNANCE lock of its own, which the owner can end: otherwise the bucket's
  /// default retention would hold it.
  static Result<CanaryObjects> open(Reach& reach, cloud::S3Bucket& owner);
  CanaryObjects(CanaryObjects&& other) noexcept
      : world_(other.world_),
        owner_(std::exchange(other.owner_, nullptr)),
        locked_(other.locked_),
        keys_(std::move(other.keys_)) {}
  CanaryObjects& operator=(CanaryObjects&&) = delete;
  ~CanaryObjects();

  std::string new_key();
  /// As the owner. `headers` are sent besides.
  Result<cloud::S3Answer> put(const std::string& key, std::string_view body, const cloud::Pairs& headers = {});
  /// Held in this mode until this time ("2026-11-23T09:26:33Z"); the owner may be unable to remove it before.
  Result<cloud::S3Answer> put_held(const std::string& key, std::string_view body, std::string_view mode,
                                   std::string_view until, cloud::Pairs headers = {});
  /// What somebody who must not write is to try: PUT, or in a locked bucket the begin of an upload, since an object
  /// would be held there.
  cloud::S3Request attempt_to_write(const std::string& key) const;
  bool locked() const { return locked_; }

 private:
  CanaryObjects(World world, cloud::S3Bucket& owner, bool locked) : world_(world), owner_(&owner), locked_(locked) {}
  void clean_up();

  World world_;
  cloud::S3Bucket* owner_;
  bool locked_;
  std::vector<std::string> keys_;
};

/// 4xx is a refusal, 2xx is none; anything else, and no answer, is inconclusive.
Trial must_be_refused(std::string_view tried, const Result<cloud::S3Answer>& answer);
/// 2xx is what is expected.
Trial must_work(std::string_view tried, const Result<cloud::S3Answer>& answer);
Trial trial_of(std::string_view tried, std::string_view expected, std::string_view found, State state,
               std::string_view evidence = "");

cloud::S3Request request_of(std::string_view method, std::string_view key = "", cloud::Pairs query = {});

}  // namespace enclave::control
