#pragma once

#include <string>

#include "base/options.h"

namespace enclave::pipeline {

/// What a beats input is told. The names are those of Logstash's beats input.
struct BeatsOptions {
  std::string host = "127.0.0.1";
  std::uint64_t port = 5044;
  bool ssl_enabled = false;
  std::string ssl_certificate;
  std::string ssl_key;
  Strings ssl_certificate_authorities;
  std::string ssl_client_authentication = "none";
  Nanoseconds client_inactivity_timeout = std::chrono::seconds(60);
  std::uint64_t max_connections = 1000;
};

}  // namespace enclave::pipeline
