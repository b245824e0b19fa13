#pragma once

#include <string>

#include "control/runner.h"

/// Parts of the JSON forms of plan, apply and audit.
namespace enclave::report {

/// `"control":…,"severity":…,"subject":{…}`: members that begin the object of an item.
std::string identity_members(const control::Item& item);
/// The text, or null when it is empty.
std::string text_or_null(std::string_view text);
std::string steps_json(const std::vector<control::Step>& steps);
std::string waiver_json(const pipeline::WaiverConfig* waiver);

}  // namespace enclave::report
