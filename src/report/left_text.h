#pragma once

#include <string>
#include <vector>

#include "control/runner.h"

namespace enclave::report {

/// "1 thing is left for you: storage.separation on logs." for people; "" when nothing is. The first few are named.
std::string left_text(const std::vector<const control::Item*>& items);

}  // namespace enclave::report
