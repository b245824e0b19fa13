#include "cli/object_names.h"

#include <algorithm>

#include "base/encoding.h"
#include "cli/printable.h"
#include "cloud/s3_endpoint.h"

namespace enclave::cli {
namespace {

constexpr std::string_view kScheme = "s3://";

ObjectPlace split(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  return {std::string(text.substr(0, slash)), std::string(text.substr(std::min(slash + 1, text.size())))};
}

}  // namespace

bool names_bucket(const pipeline::Config& config, std::string_view text) {
  if (text.starts_with(kScheme)) return true;
  const std::string name = split(text).bucket;
  return config.bucket(name) != nullptr || name == config.log_bucket();
}

Result<std::string> data_bucket(const pipeline::Config& config) {
  for (const auto& bucket : config.buckets)
    if (bucket.purpose == "data") return bucket.name;
  return Error{Fault::invalid, "{} names no bucket for: data; name one as s3://BUCKET", config.path};
}

Result<ObjectPlace> place_of(const pipeline::Config& config, std::string_view text) {
  if (!names_bucket(config, text)) return ObjectPlace{TRY(data_bucket(config)), std::string(text)};
  ObjectPlace place = split(text.starts_with(kScheme) ? text.substr(kScheme.size()) : text);
  TRY(cloud::check_bucket_name(place.bucket));
  return place;
}

bool is_pattern(std::string_view key) { return key.find_first_of("*?[") != std::string_view::npos; }

std::string literal_prefix(std::string_view pattern) {
  return std::string(pattern.substr(0, pattern.find_first_of("*?[\\")));
}

Result<std::string> local_path(std::string_view key, std::string_view asked) {
  const std::string literal = literal_prefix(asked);
  const std::string_view trimmed = literal.ends_with('/') && literal == asked
                                       ? std::string_view(literal).substr(0, literal.size() - 1)
                                       : std::string_view(literal);
  const auto slash = trimmed.rfind('/');
  if (slash != std::string_view::npos && key.starts_with(trimmed.substr(0, slash + 1))) key.remove_prefix(slash + 1);
  const auto refuse = [&](std::string_view why) -> Result<std::string> {
    return Error{Fault::invalid, "the key \"{}\" cannot become a file: {}; get it alone, with --output FILE",
                 printable(key.substr(0, 200)), why};
  };
  if (key.empty() || key.find('\0') != std::string_view::npos) return refuse("it is empty or holds a NUL byte");
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty()) return refuse("a part between slashes is empty");
    if (part == "." || part == "..") return refuse("it leads elsewhere");
    if (part.size() > 255) return refuse("a part between slashes has more than 255 bytes");
    begin = end + 1;
  }
  return std::string(key);
}

std::string short_time(std::int64_t wall_ns) {
  std::string text = format_time(wall_ns).substr(0, 16);
  if (text.size() > 10) text[10] = ' ';
  return text;
}

}  // namespace enclave::cli
