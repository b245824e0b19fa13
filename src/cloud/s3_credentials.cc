#include "base/files.h"
#include "cloud/s3_store.h"

namespace enclave::cloud {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Result<S3Credentials> parse_credentials(std::string_view text, std::string_view profile, std::string_view name) {
  S3Credentials found;
  bool within = false, seen = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']') return Error{Fault::invalid, "{}:{}: a section ends with \"]\"", name, number};
      std::string_view section = trimmed(line.substr(1, line.size() - 2));
      if (section.starts_with("profile ")) section = trimmed(section.substr(8));
      within = section == profile;
      seen = seen || within;
      continue;
    }
    const auto equals = line.find('=');
    // The text of a line is never repeated in a message: it may be a secret.
    if (equals == std::string_view::npos) return Error{Fault::invalid, "{}:{}: write NAME = VALUE", name, number};
    if (!within) continue;
    const auto option = trimmed(line.substr(0, equals));
    const auto value = trimmed(line.substr(equals + 1));
    if (option == "aws_access_key_id") found.access_key = value;
    if (option == "aws_secret_access_key") found.secret_key = crypto::Secret(std::string(value));
    if (option == "aws_session_token") found.session_token = crypto::Secret(std::string(value));
  }
  if (!seen) return Error{Fault::invalid, "{}: there is no section [{}]", name, profile};
  if (found.access_key.empty()) return Error{Fault::invalid, "{}: [{}] has no aws_access_key_id", name, profile};
  if (found.secret_key.empty()) return Error{Fault::invalid, "{}: [{}] has no aws_secret_access_key", name, profile};
  return found;
}

Result<S3Credentials> read_credentials(Files& files, const std::string& path, std::string_view profile) {
  const FileInfo info = TRY(files.info(path));
  if ((info.mode & 077U) != 0)
    return Error{Fault::denied, "{}: others than its owner may read it (mode {:o}); chmod 600 {}", path, info.mode,
                 path};
  const crypto::Secret text(TRY(read_file(files, path, 1 << 20)));
  return parse_credentials(text.reveal(), profile, path);
}

Result<S3Credentials> find_credentials(Files& files, std::string_view where, const Environment& environment) {
  const auto set = [&](std::string_view name) { return environment(name).value_or(""); };
  const auto of_profile = [&](std::string_view profile) -> Result<S3Credentials> {
    std::string path = set("AWS_SHARED_CREDENTIALS_FILE");
    if (path.empty()) path = set("HOME").empty() ? "" : set("HOME") + "/.aws/credentials";
    if (path.empty())
      return Error{Fault::denied, "no S3 keys: set HOME or AWS_SHARED_CREDENTIALS_FILE to find the profile {}",
                   profile};
    return read_credentials(files, path, profile);
  };
  if (where.starts_with("file:")) return read_credentials(files, std::string(where.substr(5)));
  if (where.starts_with("profile:") && where.size() > 8) return of_profile(where.substr(8));
  // What stands here may be a secret that was put into the wrong place: it is not repeated.
  if (where != "env") return Error{Fault::invalid, "credentials: neither env nor file:PATH nor profile:NAME"};
  const std::string key = set("AWS_ACCESS_KEY_ID"), secret = set("AWS_SECRET_ACCESS_KEY");
  if (!key.empty() && !secret.empty())
    return S3Credentials{key, crypto::Secret(secret), crypto::Secret(set("AWS_SESSION_TOKEN"))};
  if (key.empty() != secret.empty())
    return Error{Fault::denied, "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set both"};
  if (const auto profile = set("AWS_PROFILE"); !profile.empty()) return of_profile(profile);
  if (!set("AWS_SHARED_CREDENTIALS_FILE").empty()) return of_profile("default");
  return Error{Fault::denied,
               "no S3 keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or name a file with "
               "credentials: file:PATH"};
}

}  // namespace enclave::cloud
