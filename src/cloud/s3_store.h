#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cloud/object_store.h"
#include "crypto/secret.h"
#include "io/http.h"

/// A bucket of an S3 server: Amazon S3, Ceph RGW, Swift's s3api and the like.
namespace enclave::cloud {

struct S3Options {
  std::string endpoint;  ///< "https://host[:port]"
  std::string bucket;    ///< may be empty for requests to the account
  std::string region = "us-east-1";
  std::string ca_file;  ///< PEM; empty: the certificates of this system
  std::string acl;      ///< canned ACL of objects that are put; empty: that of the server
  std::string proxy;    ///< URL of an HTTP proxy; empty: none
  /// host/bucket/key or bucket.host/key. automatic: the latter for Amazon's endpoints, whose certificates do not cover
  /// buckets with a "."; the former for all others.
  enum class Addressing : std::uint8_t { automatic, path, virtual_host };
  Addressing addressing = Addressing::automatic;
  bool anonymous = false;  ///< nothing is signed, and no credentials are needed
  bool insecure = false;   ///< allows an http:// endpoint: what is sent can then be read and changed on the way
  /// For trials that the server refuses old versions of TLS: only this one is offered.
  using TlsAtMost = io::HttpOptions::Tls;
  TlsAtMost tls_at_most = TlsAtMost::secure;
  Nanoseconds connect_within = std::chrono::seconds(10);
  Nanoseconds request_within = std::chrono::minutes(10);
  Nanoseconds stalled_after = std::chrono::seconds(30);
  /// A busy server is asked again for that long, after random pauses of up to `retry_pause_max`; then Fault::busy.
  Nanoseconds retry_for = std::chrono::seconds(20);
  Nanoseconds retry_pause = std::chrono::milliseconds(100);  ///< the first one, at most
  Nanoseconds retry_pause_max = std::chrono::seconds(5);
  std::uint64_t list_page = 1000;  ///< keys per answer, 1 to 1,000
  /// How put_if_absent is done. `probe` finds out at its first use whether the server obeys If-None-Match;
  /// `versions` never relies on it.
  enum class PutIfAbsent : std::uint8_t { probe, versions };
  PutIfAbsent put_if_absent = PutIfAbsent::probe;
};

struct S3Credentials {
  std::string access_key;
  crypto::Secret secret_key;
  crypto::Secret session_token;  ///< empty: none
};

/// Does not touch the network: the server may be away. Fault::invalid for an endpoint, a bucket name, a region or
/// credentials that no server could take; the text says which.
///
/// put_if_absent, where the server does not obey If-None-Match: looks, puts, and looks at the versions; the oldest
/// writer has won and the others withdraw their version. The bucket must be versioned for that (Fault::unsupported).
/// An identity that may only put can do neither where the server does not obey If-None-Match: what was there then stays
/// as an older version (Fault::unsupported where the bucket keeps none).
/// put_if_absent is not repeated when the server may have done it: Fault::busy, and a repetition by the caller may find
/// what the first attempt wrote (Fault::conflict).
Result<std::unique_ptr<ObjectStore>> open_s3_store(World world, S3Options options, S3Credentials credentials);

/// Makes the bucket, empty, and turns versioning on when asked to. Fault::conflict when another account has the name;
/// one's own bucket is fine.
Result<void> create_bucket(World world, const S3Options& options, const S3Credentials& credentials, bool versioned);

/// The syntax of ~/.aws/credentials: the section [profile] with aws_access_key_id, aws_secret_access_key and, when
/// there is one, aws_session_token. `name` stands in the messages.
Result<S3Credentials> parse_credentials(std::string_view text, std::string_view profile, std::string_view name);
/// Reads such a file. Fault::denied when others than its owner may read it.
Result<S3Credentials> read_credentials(Files& files, const std::string& path, std::string_view profile = "default");

using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// `where` is what `storage.credentials` says:
///   env            AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; without these the profile that
///                  AWS_PROFILE names, or, when AWS_SHARED_CREDENTIALS_FILE is set, its section [default]
///   file:PATH      section [default] of that file
///   profile:NAME   that section of AWS_SHARED_CREDENTIALS_FILE, else of ~/.aws/credentials
/// Fault::denied when there are none, with what to set; Fault::invalid for other words.
Result<S3Credentials> find_credentials(Files& files, std::string_view where, const Environment& environment);

}  // namespace enclave::cloud
