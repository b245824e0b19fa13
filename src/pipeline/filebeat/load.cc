#include <algorithm>

#include "base/files.h"
#include "pipeline/config/yaml.h"
#include "pipeline/filebeat/tables.h"
#include "pipeline/glob.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::string_view kSecretKeys[] = {"password", "api_key", "key_passphrase", "secret", "token"};

bool is_secret_key(std::string_view key) {
  const std::string_view last = key.substr(key.rfind('.') + 1);
  return std::find(std::begin(kSecretKeys), std::end(kSecretKeys), last) != std::end(kSecretKeys);
}

void find_secrets(const Node& node, Diagnostics& diagnostics) {
  for (const auto& item : node.items) find_secrets(item, diagnostics);
  for (const auto& member : node.members) {
    find_secrets(member.value, diagnostics);
    const Node& value = member.value;
    if (!is_secret_key(member.key) || value.kind != Node::Kind::scalar || value.scalar.empty()) continue;
    if (is_reference(value.scalar)) continue;
    diagnostics.warning(
        value.place, fmt::format("{} stands in clear text in a file that everybody can read; write ${{NAME}} and keep "
                                 "it in the keystore or the environment, or take the right to read away (chmod 600)",
                                 member.key));
  }
}

Result<std::vector<std::string>> files_of(Files& files, const InputFiles& named, const std::string& beside) {
  std::string pattern = named.path[0] == '/' ? named.path : join_path(beside, named.path);
  if (named.is_folder) pattern = join_path(pattern, "*.yml");
  const Glob glob = TRY(Glob::parse(pattern));
  std::vector<std::string> out;
  GlobVisitor visitor;
  visitor.candidate = [&out](const std::string& found, bool) { out.push_back(found); };
  visitor.directory = [](const std::string&) {};
  visitor.failure = [](const std::string&, const Error&) {};
  expand(files, glob, visitor);
  std::sort(out.begin(), out.end());
  if (out.size() > kInputFilesMax)
    return Error{Fault::limit, "{}: {} files, at most {}", pattern, out.size(), kInputFilesMax};
  return out;
}

/// A list of inputs, or with config_dir a whole file of which only the inputs count.
void read_more(Reader& reader, const Node& root, bool is_folder, std::vector<Input>& into) {
  const Node* list = &root;
  if (is_folder && root.kind == Node::Kind::map) {
    for (const std::string_view name : {"filebeat.prospectors", "filebeat.inputs"})
      if (const Node* found = find_path(root, name)) read_inputs(reader, *found, std::string(name), into);
    return;
  }
  read_inputs(reader, *list, "a file of inputs", into);
}

}  // namespace

void lint_file(std::string_view text, const std::string& file, bool world_readable, Diagnostics& diagnostics) {
  if (const std::size_t at = text.find("\r\n"); at != std::string_view::npos) {
    const auto line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    const std::size_t start = text.rfind('\n', at) + 1;
    diagnostics.warning({file, line + 1, static_cast<int>(at - start) + 1},
                        "the lines end in CR LF; that is read as it was meant, but LF alone is what Filebeat writes");
  }
  if (!world_readable) return;
  Diagnostics told_before;
  find_secrets(parse_yaml(text, file, told_before), diagnostics);
}

Config load_filebeat(Files& files, const std::string& path, const ReadOptions& options, Diagnostics& diagnostics) {
  const auto text = read_file(files, path, kYamlBytesMax);
  if (!text) {
    diagnostics.error({path, 0, 0}, text.error().text());
    return {};
  }
  Config config = parse_filebeat(*text, path, options, diagnostics);
  const auto info = files.info(path);
  lint_file(*text, path, info && (info->mode & 04) != 0, diagnostics);
  const std::size_t before = config.inputs.size();
  for (const InputFiles* named : {&config.input_files, &config.input_folder}) {
    if (named->path.empty() || !named->enabled) continue;
    const auto found = files_of(files, *named, parent_of(path));
    if (!found) {
      diagnostics.error(named->place, found.error().text());
      continue;
    }
    for (const auto& one : *found) {
      const auto more = read_file(files, one, kYamlBytesMax);
      if (!more) {
        diagnostics.error({one, 0, 0}, more.error().text());
        continue;
      }
      Reader reader(*more, options.variables, config.generation, diagnostics);
      read_more(reader, nested(parse_yaml(*more, one, diagnostics), diagnostics), named->is_folder, config.inputs);
    }
  }
  if (config.inputs.size() > before) check_inputs(config.inputs, before, diagnostics);
  if (config.inputs.empty() && !diagnostics.has_errors())
    diagnostics.warning({path, 0, 0}, "there is no input: filebeat.inputs is empty");
  return config;
}

}  // namespace enclave::pipeline::filebeat
