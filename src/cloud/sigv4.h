#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/secret.h"

/// AWS Signature Version 4, in the Authorization header and in the query, as Amazon S3 takes it: the path is encoded
/// once and not normalised. (AWS General Reference, "Create a signed AWS API request".)
namespace enclave::cloud {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// RFC 3986 percent-encoding of everything but A-Z a-z 0-9 - . _ ~ (and "/" when asked to), upper-case hex.
std::string uri_encode(std::string_view text, bool keep_slash);
/// The inverse; "+" is a space, as in answers to encoding-type=url. A "%" without two hex digits stays as it is.
std::string uri_decode(std::string_view text);
/// "a=1&b=": sorted by encoded name, then by encoded value. Also what is sent.
std::string canonical_query(const Pairs& query);

struct SigningRequest {
  std::string method;
  std::string path;     ///< encoded, begins with "/"
  Pairs query;          ///< decoded
  Pairs headers;        ///< all are signed; names in lower case; host among them
  std::string payload;  ///< lower-case hex SHA-256 of the body, or UNSIGNED-PAYLOAD
};

/// To whom and when. `time` is ISO 8601 basic, "20130524T000000Z".
struct SigningScope {
  std::string time;
  std::string region;
  std::string service = "s3";
};

std::string canonical_request(const SigningRequest& request);
std::string string_to_sign(const SigningScope& scope, std::string_view canonical_request);
/// The value of the Authorization header.
std::string authorization(const SigningRequest& request, const SigningScope& scope, std::string_view access_key,
                          const crypto::Secret& secret_key);

/// The canonical query of a presigned URL, signature included. Of `request` the method, path, query and headers count;
/// the body is not signed. `valid_seconds`: 1 to 604,800. An empty token is left out.
std::string presigned_query(const SigningRequest& request, const SigningScope& scope, std::string_view access_key,
                            const crypto::Secret& secret_key, const crypto::Secret& session_token,
                            unsigned valid_seconds);

/// The scope's time of a wall clock.
std::string signing_time(std::int64_t wall_ns);

}  // namespace enclave::cloud
