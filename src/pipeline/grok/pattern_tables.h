#pragma once

#include "pipeline/grok/pattern_library.h"

/// The families, each in a file of its own.
namespace enclave::pipeline::grok {

extern const PatternFamily family_base, family_syslog, family_httpd, family_services, family_proxies;

}  // namespace enclave::pipeline::grok
