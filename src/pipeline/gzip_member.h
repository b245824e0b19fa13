#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace enclave::pipeline {

/// How many bytes at the start of a gzip file are whole members: all of them where its end is not torn. `read` gives
/// the next bytes of the file, none at its end.
Result<std::uint64_t> whole_gzip_bytes(const std::function<Result<std::string_view>()>& read);

}  // namespace enclave::pipeline
