#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3_client.h"
#include "cloud/s3_xml.h"

/// A bucket and its settings, on servers that disagree about them. Documents are passed as the server gives and takes
/// them; s3_documents.h reads and writes what is in them.
namespace enclave::cloud {

enum class Setting : std::uint8_t {
  acl,
  policy,
  policy_status,  ///< read only
  versioning,
  object_lock,
  lifecycle,
  encryption,
  tagging,
  logging,
  notification,
  public_access_block,
  ownership_controls,
  location,  ///< read only
};

/// The query that names it: "acl", "policy", "policyStatus", "publicAccessBlock", …
std::string_view query_of(Setting setting);

/// An answer as it came, whatever its status; what proofs keep as evidence.
struct S3Answer {
  std::string request;  ///< "GET https://host/bucket/key?acl (unsigned)"; never a signature
  io::HttpResponse response;
  S3Error error;  ///< of an error answer; empty otherwise

  bool good() const { return response.status >= 200 && response.status < 300; }
  /// "403 AccessDenied", "200"
  std::string outcome() const;
  /// Request line, status line and body, cut at 4 KiB, printable: for findings.
  std::string evidence() const;
};

struct NewBucket {
  bool object_lock = false;
  std::string location;  ///< LocationConstraint; empty: none is sent
};

/// Whose a bucket is.
enum class Ownership : std::uint8_t { absent, ours, others };

/// Thread-safe.
class S3Bucket {
 public:
  static Result<std::unique_ptr<S3Bucket>> open(World world, S3Options options, S3Credentials credentials);
  virtual ~S3Bucket() = default;

  virtual S3Client& client() = 0;
  virtual const std::string& name() const = 0;

  /// One request, sent once (again only for a wrong clock or a wrong region). An error only when there was no answer:
  /// Fault::busy (network) or Fault::denied (TLS).
  virtual Result<S3Answer> ask(const S3Request& request) = 0;

  /// HEAD, and where that says 403 or 404, the answers that tell "another's" from "absent" on this server.
  virtual Result<Ownership> ownership() = 0;
  /// Fault::conflict when somebody else has the name. One's own bucket of that name is fine; then nothing is changed.
  virtual Result<void> create(const NewBucket& wanted) = 0;
  /// Only an empty one (Fault::conflict).
  virtual Result<void> destroy() = 0;

  /// The document of this setting. Fault::absent: never set. Fault::unsupported: this server does not know it: it said
  /// so, or answered with something that is no such document (many give the list of objects).
  virtual Result<std::string> read(Setting setting) = 0;
  /// Fault::unsupported as in read(). Sends Content-MD5. What was accepted is not read back here.
  virtual Result<void> write(Setting setting, std::string_view document) = 0;
  /// Makes it unset. A DELETE of a sub-resource that the server does not know deletes the bucket itself. So this is
  /// sent only for policy, lifecycle, tagging, encryption and public_access_block, only after read() on this very
  /// bucket gave the right document, and only when `proven` says that a canary bucket outlived it; Fault::unsupported
  /// otherwise.
  virtual Result<void> remove(Setting setting, bool proven) = 0;
};

}  // namespace enclave::cloud
