#pragma once

#include "cli/verb.h"

/// Every verb_<name>.cc ends with one of these; verbs.cc puts them in order.
namespace enclave::cli {

extern const Verb verb_init, verb_check, verb_plan, verb_apply, verb_audit, verb_run, verb_up, verb_verify, verb_status,
    verb_search, verb_version, verb_completion, verb_man, verb_object, verb_bucket, verb_deadletters;

}  // namespace enclave::cli
