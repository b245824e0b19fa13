#include "cloud/s3_endpoint.h"

#include <algorithm>
#include <array>

namespace enclave::cloud {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";
constexpr std::array<std::string_view, 2> kAwsDomains = {".amazonaws.com", ".amazonaws.com.cn"};

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
  });
}

bool is_ipv4(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 && name.find_first_not_of("0123456789.") == name.npos;
}

// Empty: the name keeps the rule.
std::string_view fault_in(std::string_view name) {
  if (name.size() < 3) return "it is shorter than 3 characters";
  if (name.size() > 63) return "it is longer than 63 characters";
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') return "it has upper-case letters";
    if (c == '_') return "it has an underscore";
    if (!is_lower_alphanumeric(c) && c != '-' && c != '.') return "only a-z, 0-9, \"-\" and \".\" may stand in it";
  }
  if (!is_lower_alphanumeric(name.front()) || !is_lower_alphanumeric(name.back()))
    return "it must begin and end with a letter or digit";
  for (const std::string_view pair : {"..", ".-", "-."})
    if (name.find(pair) != name.npos) return "two of \"-\" and \".\" stand side by side with a \".\"";
  if (is_ipv4(name)) return "it is an IP address";
  if (name.starts_with("xn--") || name.starts_with("sthree-") || name.starts_with("amzn-s3-demo-") ||
      name.ends_with("-s3alias") || name.ends_with("--ol-s3") || name.ends_with(".mrap") || name.ends_with("--x-s3"))
    return "S3 keeps that prefix or suffix for itself";
  return {};
}

bool is_plain(std::string_view endpoint) { return endpoint.starts_with(kHttp); }
std::string_view authority_of(std::string_view endpoint) {
  return endpoint.substr((is_plain(endpoint) ? kHttp : kHttps).size());
}

std::string_view aws_domain_of(std::string_view host) {
  for (const auto domain : kAwsDomains)
    if (host.ends_with(domain)) return domain;
  return {};
}

// "s3.eu-west-1" of "bucket.s3.eu-west-1.amazonaws.com".
std::string_view aws_service_of(std::string_view host) {
  const auto domain = aws_domain_of(host);
  if (domain.empty()) return {};
  host.remove_suffix(domain.size());
  if (host == "s3" || host.starts_with("s3.") || host.starts_with("s3-")) return host;
  for (std::size_t dot = host.rfind('.'); dot != host.npos && dot > 0; dot = host.rfind('.', dot - 1)) {
    const auto rest = host.substr(dot + 1);
    if (rest == "s3" || rest.starts_with("s3.") || rest.starts_with("s3-")) return rest;
  }
  return {};
}

// Amazon's own endpoint of a region: no bucket, no dual-stack or FIPS variant that we would not know how to move.
bool is_aws_regional(std::string_view host) {
  const auto service = aws_service_of(host);
  return !service.empty() && service.data() == host.data() && (service == "s3" || !aws_region_of(host).empty());
}

Result<void> check_authority(const S3Options& options, std::string_view host) {
  const bool plain = is_plain(options.endpoint);
  const std::string_view scheme = plain ? kHttp : kHttps;
  if (const auto slash = host.find('/'); slash != host.npos) {
    const auto path = host.substr(slash + 1);
    return Error{Fault::invalid,
                 "{}: an endpoint is a host and perhaps a port, with nothing behind it; write {}{}{}{}",
                 options.endpoint,
                 scheme,
                 host.substr(0, slash),
                 path.empty() ? "" : " and name the bucket apart: ",
                 path.substr(0, path.find('/'))};
  }
  if (host.empty() || !all_of(host, ".-:[]"))
    return Error{Fault::invalid, "{}: an endpoint is a host and perhaps a port, with nothing behind it",
                 options.endpoint};
  if (plain && host.ends_with(":443"))
    return Error{Fault::invalid, "{}: port 443 speaks https; write https://{}", options.endpoint,
                 host.substr(0, host.size() - 4)};
  if (!plain && host.ends_with(":80"))
    return Error{Fault::invalid, "{}: port 80 speaks plain http; write https://{} or the port that speaks https",
                 options.endpoint, host.substr(0, host.size() - 3)};
  std::string_view rest;
  const auto service = aws_service_of(host);
  if (!service.empty() && service.data() != host.data()) rest = host.substr(service.data() - host.data());
  if (!options.bucket.empty() && host.starts_with(options.bucket + ".")) rest = host.substr(options.bucket.size() + 1);
  if (!rest.empty())
    return Error{Fault::invalid,   "{}: the bucket \"{}\" stands in the endpoint; write {}{} and name the bucket apart",
                 options.endpoint, host.substr(0, host.size() - rest.size() - 1),
                 scheme,           rest};
  return {};
}

Result<void> check_endpoint(const S3Options& options) {
  const std::string& endpoint = options.endpoint;
  const bool plain = is_plain(endpoint);
  if (!plain && !endpoint.starts_with(kHttps))
    return Error{Fault::invalid, "\"{}\" is not an endpoint; write https://HOST or https://HOST:PORT", endpoint};
  TRY(check_authority(options, authority_of(endpoint)));
  if (plain && !options.insecure)
    return Error{Fault::invalid,
                 "{}: plain http can be read and changed on the way; use https:// or allow it explicitly", endpoint};
  return {};
}

}  // namespace

Result<void> check_bucket_name(std::string_view name) {
  const auto fault = fault_in(name);
  if (fault.empty()) return {};
  return Error{Fault::invalid,
               "\"{}\" is not a name of a bucket: {}; use 3 to 63 of a-z, 0-9, \"-\" and \".\", such as \"{}\"",
               name.substr(0, 80), fault, proposed_bucket_name(name)};
}

std::string proposed_bucket_name(std::string_view name) {
  std::string proposal;
  for (char c : name.substr(0, 256)) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!is_lower_alphanumeric(c)) c = '-';
    if (c != '-' || (!proposal.empty() && proposal.back() != '-')) proposal.push_back(c);
  }
  proposal.resize(std::min<std::size_t>(proposal.size(), 56));
  while (proposal.ends_with('-')) proposal.pop_back();
  if (proposal.size() < 3 || !fault_in(proposal).empty())
    proposal = proposal.empty() ? "bucket-1" : "bucket-" + proposal;
  return fault_in(proposal).empty() ? proposal : "bucket-1";
}

bool is_region(std::string_view text) { return !text.empty() && text.size() <= 64 && all_of(text, "-_."); }

Result<void> check_options(const S3Options& options) {
  TRY(check_endpoint(options));
  if (!options.bucket.empty()) TRY(check_bucket_name(options.bucket));
  if (!is_region(options.region)) return Error{Fault::invalid, "\"{}\" is not a region", options.region.substr(0, 80)};
  if (options.list_page < 1 || options.list_page > 1000)
    return Error{Fault::invalid, "a list page of {} keys; 1 to 1,000 are possible", options.list_page};
  return {};
}

S3Place place_of(const S3Options& options, std::string region) {
  const bool plain = is_plain(options.endpoint);
  S3Place place;
  place.scheme = plain ? kHttp : kHttps;
  std::string host(authority_of(options.endpoint));
  // Default ports stand in no Host header, and the signature covers that header.
  const std::string_view port = plain ? ":80" : ":443";
  if (host.ends_with(port) && std::count(host.begin(), host.end(), ':') == 1) host.resize(host.size() - port.size());
  if (region != options.region && is_aws_regional(host)) host = fmt::format("s3.{}{}", region, aws_domain_of(host));
  const bool virtual_host = options.addressing == S3Options::Addressing::virtual_host ||
                            (options.addressing == S3Options::Addressing::automatic && !aws_domain_of(host).empty() &&
                             options.bucket.find('.') == std::string::npos);
  place.account_host = host;
  place.host = virtual_host && !options.bucket.empty() ? fmt::format("{}.{}", options.bucket, host) : host;
  place.base = virtual_host || options.bucket.empty() ? "" : "/" + options.bucket;
  place.region = std::move(region);
  return place;
}

std::string aws_region_of(std::string_view host) {
  auto service = aws_service_of(host);
  if (service.size() < 4) return {};
  service.remove_prefix(3);
  // Regions look like "eu-west-1"; "dualstack.eu-west-1" and "fips-us-east-1" are no names of regions.
  const bool plain =
      std::all_of(service.begin(), service.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
  return plain && service.find('-') != service.npos && !service.starts_with("fips") ? std::string(service) : "";
}

}  // namespace enclave::cloud
