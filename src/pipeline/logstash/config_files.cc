#include "pipeline/logstash/config_files.h"

#include <algorithm>

#include "base/files.h"
#include "pipeline/glob.h"

namespace enclave::pipeline::logstash {
namespace {

bool is_left_out(std::string_view path) {
  const std::string_view name = name_in(path);
  return name.starts_with('.') || name.ends_with('~');
}

Result<std::vector<std::string>> files_in(Files& files, const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : TRY(files.list(folder))) {
    const std::string path = join_path(folder, entry.name);
    if (is_left_out(entry.name) || entry.kind == FileKind::directory) continue;
    out.push_back(path);
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> config_files_of(Files& files, const std::string& path) {
  std::vector<std::string> out;
  const auto info = files.info(path);
  if (info && info->kind == FileKind::directory) {
    out = TRY(files_in(files, path));
  } else if (info) {
    out.push_back(path);
  } else {
    const Glob glob = TRY(Glob::parse(path));
    if (glob.is_literal()) return Error{info.error()}.within(path);
    GlobVisitor visitor;
    visitor.candidate = [&out](const std::string& found, bool) {
      if (!is_left_out(found)) out.push_back(found);
    };
    visitor.directory = [](const std::string&) {};
    visitor.failure = [](const std::string&, const Error&) {};
    expand(files, glob, visitor);
    std::erase_if(out, [&files](const std::string& one) {
      const auto found = files.info(one);
      return !found || found->kind == FileKind::directory;
    });
  }
  if (out.empty()) return Error{Fault::absent, "{}: no configuration file is there", path};
  if (out.size() > kConfigFilesMax)
    return Error{Fault::limit, "{}: {} files, at most {}", path, out.size(), kConfigFilesMax};
  std::sort(out.begin(), out.end());
  return out;
}

Configuration load_pipeline(Files& files, const PipelineSettings& settings, const Variables& variables,
                            Diagnostics& diagnostics) {
  Configuration out;
  const ParseOptions options{.support_escapes = settings.support_escapes};
  if (!settings.config_string.empty())
    parse_config(settings.config_string, fmt::format("pipeline {}", settings.id), options, out, diagnostics);
  if (!settings.config_path.empty()) {
    const auto paths = config_files_of(files, settings.config_path);
    if (!paths) {
      diagnostics.error({}, paths.error().text());
      return out;
    }
    for (const auto& path : *paths) {
      const auto text = read_file(files, path, kConfigBytesMax);
      if (text) {
        parse_config(*text, path, options, out, diagnostics);
      } else {
        diagnostics.error({path, 0, 0}, text.error().text());
      }
    }
  }
  substitute_all(out, variables, diagnostics);
  return out;
}

}  // namespace enclave::pipeline::logstash
