#pragma once

#include "cli/verb.h"
#include "pipeline/config/config.h"

namespace enclave::cli {

/// `enclave check --storage`: asks the configured S3 server anew what it does, on canary buckets, and tells. The exit
/// status.
int check_storage(const pipeline::Config& config, const Arguments& arguments, Shell& shell);

}  // namespace enclave::cli
