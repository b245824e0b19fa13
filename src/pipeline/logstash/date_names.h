#pragma once

#include <string_view>

/// What dates are called in English, which is what logs are written in.
namespace enclave::pipeline::logstash::date_names {

inline constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                               "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::string_view kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                             "Friday", "Saturday", "Sunday"};
inline constexpr std::string_view kQuarters[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
inline constexpr std::size_t kShort = 3;

}  // namespace enclave::pipeline::logstash::date_names
