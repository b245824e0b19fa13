#include "cli/keystores.h"

#include <memory>

#include "base/files.h"
#include "pipeline/config/yaml.h"
#include "pipeline/filebeat/keystore.h"
#include "pipeline/logstash/keystore.h"

namespace enclave::cli {
namespace {

namespace filebeat = pipeline::filebeat;
namespace logstash = pipeline::logstash;

constexpr std::string_view kFilebeatKeystore = "filebeat.keystore";

/// The first of `paths` that is there.
std::string first_there(Files& files, const std::vector<std::string>& paths) {
  for (const auto& path : paths)
    if (const auto info = files.info(path); info && info->kind == FileKind::regular) return path;
  return "";
}

/// A keystore that is read once, when it is needed.
class Keystore {
 public:
  Keystore(std::vector<std::string> places, Shell& shell, Diagnostics& diagnostics)
      : places_(std::move(places)), shell_(shell), diagnostics_(diagnostics) {}

  /// Null: there is none, or it cannot be read, which has been told.
  const std::string* bytes() {
    if (looked_) return bytes_ ? &*bytes_ : nullptr;
    looked_ = true;
    path_ = first_there(shell_.world.files, places_);
    if (path_.empty()) return nullptr;
    auto read = read_file(shell_.world.files, path_, crypto::kPkcs12BytesMax);
    if (read)
      bytes_ = std::move(*read);
    else
      diagnostics_.error({path_, 0, 0}, read.error().text());
    return bytes_ ? &*bytes_ : nullptr;
  }
  /// Once: then nothing is found in it any more.
  void fail(const Error& error) {
    diagnostics_.error({path_, 0, 0}, "the keystore cannot be opened: " + error.text());
    bytes_.reset();
  }
  Shell& shell() { return shell_; }

 private:
  const std::vector<std::string> places_;
  Shell& shell_;
  Diagnostics& diagnostics_;
  std::string path_;
  std::optional<std::string> bytes_;
  bool looked_ = false;
};

}  // namespace

logstash::Variables logstash_variables(const std::string& path, Shell& shell, Diagnostics& diagnostics) {
  const std::string name(logstash::kKeystoreName), folder = parent_of(path);
  const auto store = std::make_shared<Keystore>(
      std::vector{join_path(path, name), join_path(folder, name), join_path(parent_of(folder), name)}, shell,
      diagnostics);
  logstash::Variables variables;
  variables.environment = shell.environment;
  variables.keystore = [store](std::string_view wanted) -> std::optional<std::string> {
    const std::string* const bytes = store->bytes();
    if (bytes == nullptr) return std::nullopt;
    const auto found =
        logstash::keystore_value(*bytes, store->shell().environment(logstash::kKeystorePassword), wanted);
    if (found) return std::string(found->reveal());
    if (found.error().fault() != Fault::absent) store->fail(found.error());
    return std::nullopt;
  };
  return variables;
}

std::function<std::optional<std::string>(std::string_view)> filebeat_variables(const std::string& path, Shell& shell,
                                                                               Diagnostics& diagnostics) {
  const std::string name(kFilebeatKeystore), folder = parent_of(path);
  std::vector<std::string> places;
  if (const auto text = read_file(shell.world.files, path, pipeline::kYamlBytesMax))
    if (const auto said = filebeat::keystore_path_of(*text); !said.empty())
      places.push_back(said.starts_with('/') ? said : join_path(folder, said));
  for (const auto& other : {join_path(folder, name), join_path(folder, "data/" + name), "/var/lib/filebeat/" + name})
    places.push_back(other);
  const auto store = std::make_shared<Keystore>(std::move(places), shell, diagnostics);
  const auto secrets = std::make_shared<std::optional<filebeat::KeystoreSecrets>>();
  return [store, secrets](std::string_view wanted) -> std::optional<std::string> {
    const std::string* const bytes = store->bytes();
    if (bytes != nullptr && !secrets->has_value()) {
      if (auto read = filebeat::read_keystore(*bytes))
        secrets->emplace(std::move(*read));
      else
        store->fail(read.error());
    }
    if (secrets->has_value())
      if (const auto found = (*secrets)->find(wanted); found != (*secrets)->end())
        return std::string(found->second.reveal());
    return store->shell().environment(wanted);
  };
}

}  // namespace enclave::cli
