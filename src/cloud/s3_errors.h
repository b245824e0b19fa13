#pragma once

#include <string_view>

#include "base/result.h"
#include "cloud/s3_xml.h"

namespace enclave::cloud {

/// What an error answer means. The code decides where there is one, since servers disagree on the status.
Fault fault_of(int status, std::string_view code);

/// What the user can do about it; "" when nothing is known.
std::string_view advice_for(int status, std::string_view code);

/// Whether the server has certainly not done what it was asked.
bool is_refused(int status, std::string_view code);

/// The time of a Date header (RFC 9110 IMF-fixdate) in nanoseconds since the epoch.
Result<std::int64_t> parse_http_date(std::string_view text);

}  // namespace enclave::cloud
