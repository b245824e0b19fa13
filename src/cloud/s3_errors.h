#pragma once

#include <string_view>

#include "base/result.h"
#include "cloud/s3_xml.h"
#include "io/http.h"

namespace enclave::cloud {

/// What an error answer means. The code decides where there is one, since servers disagree on the status.
Fault fault_of(int status, std::string_view code);

/// What the user can do about it, beginning with "; "; "" when nothing is known. `region`: what was signed for.
std::string advice_for(const io::HttpResponse& response, const S3Error& told, std::string_view region);

/// The region of the bucket, where an answer tells it: in the error, in x-amz-bucket-region, or in the address of a
/// redirect of Amazon's. "" otherwise. Foreign text: check it.
std::string region_told(const io::HttpResponse& response);

/// Whether the server has certainly not done what it was asked.
bool is_refused(int status, std::string_view code);

/// The time of a Date header (RFC 9110 IMF-fixdate) in nanoseconds since the epoch.
Result<std::int64_t> parse_http_date(std::string_view text);

}  // namespace enclave::cloud
