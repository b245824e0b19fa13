#include "cloud/s3_errors.h"

#include <algorithm>
#include <array>

#include "base/time.h"
#include "cloud/s3_endpoint.h"

namespace enclave::cloud {
namespace {

struct Meaning {
  std::string_view code;
  Fault fault;
  std::string_view advice;
};

constexpr std::string_view kCheckKeys =
    "; check the access key and the secret key, and for which server they were made";

constexpr Meaning kMeanings[] = {
    {"NoSuchKey", Fault::absent, ""},
    {"NoSuchVersion", Fault::absent, ""},
    {"NoSuchBucket", Fault::absent, "; make the bucket, or correct its name"},
    {"AccessDenied", Fault::denied, "; the policy of the bucket or of the user must allow this request"},
    {"InvalidAccessKeyId", Fault::denied, kCheckKeys},
    {"SignatureDoesNotMatch", Fault::denied, kCheckKeys},
    {"ExpiredToken", Fault::denied, "; the session token has expired, give a new one"},
    {"InvalidToken", Fault::denied, "; the session token is not valid"},
    {"RequestTimeTooSkewed", Fault::denied,
     "; the clock of this machine or of the server is wrong by more than 15 minutes"},
    {"AuthorizationHeaderMalformed", Fault::denied, "; the region is probably another one"},
    {"PreconditionFailed", Fault::conflict, ""},
    {"BucketAlreadyExists", Fault::conflict, "; another account has a bucket of that name, choose another name"},
    {"BucketAlreadyOwnedByYou", Fault::conflict, ""},
    {"BucketNotEmpty", Fault::conflict, ""},
    {"ConditionalRequestConflict", Fault::busy, ""},
    {"OperationAborted", Fault::busy, ""},
    {"SlowDown", Fault::busy, ""},
    {"ServiceUnavailable", Fault::busy, ""},
    {"InternalError", Fault::busy, ""},
    {"RequestTimeout", Fault::busy, ""},
    {"NotImplemented", Fault::unsupported, ""},
    {"MethodNotAllowed", Fault::unsupported, ""},
    {"EntityTooLarge", Fault::limit, ""},
    {"QuotaExceeded", Fault::limit, "; free space in the account, or raise its quota"},
    {"BadDigest", Fault::corrupt, "; the bytes were changed on the way"},
    {"XAmzContentSHA256Mismatch", Fault::corrupt, "; the bytes were changed on the way"},
    {"InvalidBucketName", Fault::invalid, "; this server takes 3 to 63 of a-z, 0-9, \"-\" and \".\" as a name"},
    {"InvalidLocationConstraint", Fault::invalid, "; this server does not have that region, leave it out"},
    {"IllegalLocationConstraintException", Fault::invalid, "; use the endpoint of that region"},
    {"PermanentRedirect", Fault::invalid, "; the bucket is in another region"},
    {"TemporaryRedirect", Fault::invalid, "; the bucket is in another region"},
};

const Meaning* meaning_of(std::string_view code) {
  for (const auto& meaning : kMeanings)
    if (meaning.code == code) return &meaning;
  return nullptr;
}

}  // namespace

Fault fault_of(int status, std::string_view code) {
  if (const auto* meaning = meaning_of(code)) return meaning->fault;
  switch (status) {
    case 401:
    case 403:
      return Fault::denied;
    case 404:
    case 410:
      return Fault::absent;
    case 409:
    case 412:
      return Fault::conflict;
    case 408:
    case 425:
    case 429:
      return Fault::busy;
    case 405:
    case 501:
      return Fault::unsupported;
    case 413:
    case 507:
      return Fault::limit;
    default:
      return status >= 500 ? Fault::busy : Fault::invalid;
  }
}

std::string advice_for(const io::HttpResponse& response, const S3Error& told, std::string_view region) {
  const int status = response.status;
  if (told.code.empty() && (status == 511 || response.header("content-type").starts_with("text/html")))
    return "; this is a web page and not an answer of an S3 server: a proxy or a captive portal is in between, or "
           "the endpoint is none of S3";
  if (told.code == "AuthorizationHeaderMalformed" || status == 301 || status == 307) {
    const std::string theirs = region_told(response);
    if (!theirs.empty()) return fmt::format("; the region is \"{}\", not \"{}\": set it", theirs, region);
  }
  if (const auto* meaning = meaning_of(told.code)) return std::string(meaning->advice);
  if (status == 301 || status == 302 || status == 307 || status == 308)
    return "; the bucket is in another region or under another address";
  if (status == 401 || status == 403) return "; the policy of the bucket or of the user must allow this request";
  if (status == 407) return "; the proxy wants a name and a password";
  if (told.code.empty() && !response.body.empty() && response.header("x-amz-request-id").empty())
    return "; that is not how an S3 server answers: check the endpoint";
  return "";
}

std::string region_told(const io::HttpResponse& response) {
  const S3Error told = parse_error(response.body);
  if (!told.region.empty()) return told.region;
  if (const auto header = response.header("x-amz-bucket-region"); !header.empty()) return std::string(header);
  if (const auto region = aws_region_of(told.endpoint); !region.empty()) return region;
  std::string_view location = response.header("location");
  location.remove_prefix(std::min(location.size(), location.find("://") + 3));
  return location.empty() ? "" : aws_region_of(location.substr(0, location.find_first_of("/:?")));
}

bool is_refused(int status, std::string_view code) {
  return status == 503 || status == 429 || code == "SlowDown" || code == "ServiceUnavailable" ||
         code == "ConditionalRequestConflict" || code == "RequestTimeTooSkewed";
}

Result<std::int64_t> parse_http_date(std::string_view text) {
  // "Mon, 23 Nov 2026 09:26:33 GMT"
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() == 29 && text.ends_with(" GMT")) {
    for (std::size_t month = 0; month < kMonths.size(); ++month)
      if (text.substr(8, 3) == kMonths[month])
        return parse_time(
            fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month + 1, text.substr(5, 2), text.substr(17, 8)));
  }
  return Error{Fault::corrupt, "\"{}\" is not the date of an HTTP answer", text.substr(0, 64)};
}

}  // namespace enclave::cloud
