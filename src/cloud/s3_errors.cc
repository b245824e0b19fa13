#include "cloud/s3_errors.h"

#include <array>

#include "base/time.h"

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

std::string_view advice_for(int status, std::string_view code) {
  if (const auto* meaning = meaning_of(code)) return meaning->advice;
  if (status == 301 || status == 307) return "; the bucket is in another region or under another address";
  if (status == 401 || status == 403) return "; the policy of the bucket or of the user must allow this request";
  return "";
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
