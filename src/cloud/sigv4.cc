#include "cloud/sigv4.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/digest.h"

namespace enclave::cloud {
namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Leading and trailing spaces go, runs of spaces become one.
std::string collapsed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out.push_back(c);
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Pairs sorted_headers(const SigningRequest& request) {
  Pairs headers = request.headers;
  std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Pairs joined;
  for (auto& [name, value] : headers) {
    if (!joined.empty() && joined.back().first == name) {
      joined.back().second += "," + collapsed(value);
    } else {
      joined.emplace_back(name, collapsed(value));
    }
  }
  return joined;
}

std::string signed_names(const Pairs& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += names.empty() ? name : ";" + name;
  return names;
}

std::string credential_scope(const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", std::string_view(scope.time).substr(0, 8), scope.region, scope.service);
}

crypto::Secret next_key(const crypto::Secret& key, std::string_view message) {
  auto mac = crypto::hmac_sha256(key.reveal(), message);
  crypto::Secret next{std::string(bytes_of(mac))};
  crypto::wipe(mac.data(), mac.size());
  return next;
}

std::string signature_of(const SigningRequest& request, const SigningScope& scope, const crypto::Secret& secret_key) {
  const crypto::Secret start{fmt::format("AWS4{}", secret_key.reveal())};
  const auto date = next_key(start, std::string_view(scope.time).substr(0, 8));
  const auto region = next_key(date, scope.region);
  const auto service = next_key(region, scope.service);
  const auto key = next_key(service, "aws4_request");
  return to_hex(bytes_of(crypto::hmac_sha256(key.reveal(), string_to_sign(scope, canonical_request(request)))));
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kUpperHex[byte >> 4]);
    out.push_back(kUpperHex[byte & 15]);
  }
  return out;
}

std::string uri_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string canonical_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(uri_encode(name, false), uri_encode(value, false));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string canonical_request(const SigningRequest& request) {
  const Pairs headers = sorted_headers(request);
  std::string out = fmt::format("{}\n{}\n{}\n", request.method, request.path, canonical_query(request.query));
  for (const auto& [name, value] : headers) out += fmt::format("{}:{}\n", name, value);
  out += fmt::format("\n{}\n{}", signed_names(headers), request.payload);
  return out;
}

std::string string_to_sign(const SigningScope& scope, std::string_view canonical) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", scope.time, credential_scope(scope),
                     to_hex(bytes_of(crypto::sha256(canonical))));
}

std::string authorization(const SigningRequest& request, const SigningScope& scope, std::string_view access_key,
                          const crypto::Secret& secret_key) {
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", access_key,
                     credential_scope(scope), signed_names(sorted_headers(request)),
                     signature_of(request, scope, secret_key));
}

std::string presigned_query(const SigningRequest& request, const SigningScope& scope, std::string_view access_key,
                            const crypto::Secret& secret_key, const crypto::Secret& session_token,
                            unsigned valid_seconds) {
  SigningRequest whole = request;
  whole.payload = "UNSIGNED-PAYLOAD";
  whole.query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  whole.query.emplace_back("X-Amz-Credential", fmt::format("{}/{}", access_key, credential_scope(scope)));
  whole.query.emplace_back("X-Amz-Date", scope.time);
  whole.query.emplace_back("X-Amz-Expires", std::to_string(valid_seconds));
  if (!session_token.empty()) whole.query.emplace_back("X-Amz-Security-Token", session_token.reveal());
  whole.query.emplace_back("X-Amz-SignedHeaders", signed_names(sorted_headers(request)));
  return fmt::format("{}&X-Amz-Signature={}", canonical_query(whole.query), signature_of(whole, scope, secret_key));
}

std::string signing_time(std::int64_t wall_ns) {
  const std::string time = format_time(wall_ns);  // 2026-11-23T09:26:33.…
  std::string out;
  for (const char c : std::string_view(time).substr(0, 19))
    if (c != '-' && c != ':') out.push_back(c);
  return out + "Z";
}

}  // namespace enclave::cloud
