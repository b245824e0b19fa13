#include "pipeline/http_options.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

io::HttpOptions read_http_options(logstash::PluginOptions& options, bool https) {
  io::HttpOptions http;
  TlsDefaults defaults;
  defaults.enabled = https;
  const TlsOptions tls = read_tls_options(options, TlsOptions::Side::client, defaults);
  if (https && !tls.enabled) options.mistake("ssl_enabled", "is off, and a URL begins with https://");
  if (const auto applied = tls.apply(http); !applied)
    options.mistake("ssl_certificate_authorities", applied.error().text());
  http.plain_http = !https;
  http.connect_within = std::chrono::seconds(options.number("connect_timeout", 10, 1, 3600));
  http.proxy = options.text("proxy");
  for (const auto name : {"socket_timeout", "pool_max", "pool_max_per_route", "keepalive", "cookies",
                          "validate_after_inactivity", "automatic_retries", "retry_non_idempotent"})
    (void)options.text(name);
  if (options.boolean("follow_redirects", false))
    options.warning("follow_redirects", "has no effect: redirects are answers like any other");
  return http;
}

std::string basic_auth(std::string_view user, std::string_view password) {
  return "Basic " + to_base64(fmt::format("{}:{}", user, password));
}

std::string read_basic_auth(logstash::PluginOptions& options) {
  const std::string user = options.text("user"), password = options.text("password");
  if (user.empty() && !password.empty()) options.mistake("password", "is set without user");
  return user.empty() ? "" : basic_auth(user, password);
}

Result<HttpUrl> parse_http_url(std::string_view text, bool https) {
  const auto wrong = [whole = text] {
    return Error{Fault::invalid, "\"{}\" is no address; write https://HOST:PORT", whole.substr(0, 200)};
  };
  HttpUrl url;
  url.https = https;
  if (text.starts_with("https://") || text.starts_with("http://")) {
    url.https = text.starts_with("https://");
    text.remove_prefix(text.find("//") + 2);
  } else if (text.starts_with("//")) {
    text.remove_prefix(2);
  } else if (text.find("://") != std::string_view::npos) {
    return wrong();
  }
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  url.path = text.substr(end);
  if (url.path.starts_with('?')) url.path.insert(0, "/");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = authority.substr(0, at);
    const std::size_t colon = std::min(who.find(':'), who.size());
    url.user = percent_decoded(who.substr(0, colon));
    url.password = percent_decoded(colon < who.size() ? who.substr(colon + 1) : "");
    authority.remove_prefix(at + 1);
  }
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    url.port = authority.substr(colon + 1);
    const auto number = parse_number(url.port);
    if (!number || *number == 0 || *number > 65'535) return wrong();
  }
  if (url.host.empty() || text.find_first_of(std::string_view(" \t\r\n\"<>\\\0", 9)) != std::string_view::npos)
    return wrong();
  return url;
}

}  // namespace enclave::pipeline
