#pragma once

#include <string>

#include "io/http.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {

/// What plugins that speak HTTP have in common: time-outs, proxy and TLS. Tells what has no effect here. `https`: there
/// is a URL that says so.
io::HttpOptions read_http_options(logstash::PluginOptions& options, bool https);

/// "Basic …" of the options `user` and `password`; empty without. A password alone is a mistake.
std::string read_basic_auth(logstash::PluginOptions& options);
std::string basic_auth(std::string_view user, std::string_view password);

/// An http:// or https:// URL, taken apart.
struct HttpUrl {
  bool https = false;
  std::string user, password;  ///< decoded
  std::string host;            ///< with brackets around an IPv6 address
  std::string port;            ///< empty: not said
  std::string path;            ///< with the query; empty or beginning with "/"
};
/// Without a scheme it is `https` that decides. Fault::invalid.
Result<HttpUrl> parse_http_url(std::string_view text, bool https);

}  // namespace enclave::pipeline
