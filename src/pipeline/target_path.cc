#include "pipeline/target_path.h"

#include <vector>

#include "base/files.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kNameBytesMax = 255, kPathBytesMax = 4095;

/// Without "//", "." and ".."; false when that is no path of a file.
bool normalise(std::string_view path, std::string& out) {
  out.clear();
  if (path.find('\0') != std::string_view::npos || path.ends_with('/')) return false;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (end == path.size() && (name == "." || name == "..")) return false;
    if (name.empty() || name == ".") continue;
    if (name.size() > kNameBytesMax) return false;
    if (name == "..") {
      out.resize(std::max<std::size_t>(out.rfind('/') + 1, 1) - 1);
      continue;
    }
    out += '/';
    out += name;
  }
  return !out.empty() && out.size() <= kPathBytesMax;
}

}  // namespace

TargetPath::TargetPath(logstash::PluginOptions& options, std::string_view option, std::string_view failure_name) {
  const std::string written = options.text(option);
  text_ = options.as_reference(option, written);
  if (failure_name.empty() || failure_name.find('/') != std::string_view::npos)
    options.mistake("filename_failure", "is the name of a file, without folders");
  if (!written.starts_with('/')) {
    options.mistake(option, "an absolute path is wanted, such as /var/log/collected/%{host}.log");
    return;
  }
  std::string literal;
  for (const auto& part : text_.parts()) {
    if (part.kind != logstash::TextReference::Part::Kind::literal) break;
    literal += part.text;
  }
  if (is_constant()) {
    if (!normalise(literal, constant_)) options.mistake(option, "this is no path of a file");
    root_ = parent_of(constant_);
  } else {
    std::string placed;
    if (normalise(literal + "x", placed)) root_ = parent_of(placed);
    if (root_.empty() || root_ == "/")
      options.mistake(option,
                      "the path must begin with a folder without references: what events say would decide where "
                      "on this machine they are written");
  }
  failure_ = join_path(root_, failure_name);
}

bool TargetPath::append(const event::Document& event, std::int64_t now_ns, std::string& scratch,
                        std::string& out) const {
  scratch.clear();
  logstash::append_reference(text_, event, now_ns, scratch);
  if (normalise(scratch, out) && out.size() > root_.size() + 1 && out.starts_with(root_) && out[root_.size()] == '/')
    return true;
  out = failure_;
  return false;
}

}  // namespace enclave::pipeline
