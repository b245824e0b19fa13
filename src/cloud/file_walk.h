#pragma once

#include <functional>
#include <string>

#include "base/ports.h"

namespace enclave::cloud {

/// Calls `visit` for each key of a file store below `directory` that begins with `prefix`, in byte order of the keys;
/// with `deleted`, also for those of which only older versions are left. Names that begin with a dot are no keys.
/// At most 1,024 directories deep: a key has no more.
Result<void> walk_keys(Files& files, const std::string& directory, const std::string& prefix, bool deleted,
                       const std::function<Result<void>(const std::string& key)>& visit);

}  // namespace enclave::cloud
