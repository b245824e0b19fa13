#include "pipeline/config/config.h"

#include <algorithm>
#include <map>

#include "base/files.h"
#include "pipeline/config/config_check.h"
#include "pipeline/config/yaml.h"

namespace enclave::pipeline {
namespace {

/// More would hide the first.
constexpr std::size_t kMistakesMax = 1'000;

constexpr std::string_view kAddressing[] = {"auto", "path", "virtual"};
constexpr std::string_view kPurposes[] = {"data", "logs"};
constexpr std::string_view kLocks[] = {"compliance", "governance", "none"};
constexpr std::string_view kProviders[] = {"file"};

constexpr Option<Config> kTop[] = {
    {"enclave", &Config::enclave,
     "Name of the enclave, the first part of every log's name: 1 to 64 letters, digits, \".\", \"_\" and \"-\". "
     "Required."},
    {"state", &Config::state,
     "Directory for what this machine must remember: spool, registry, signing key, and the embedded store. A relative "
     "path counts from this file."},
};
constexpr std::string_view kSections[] = {"storage", "buckets", "logging", "keys",   "archive",
                                          "spool",   "metrics", "verify",  "waivers"};

constexpr Option<StorageConfig> kStorage[] = {
    {"endpoint", &StorageConfig::endpoint,
     "Where the buckets are: file:///DIRECTORY (embedded, one directory a bucket) or https://HOST[:PORT] (S3)."},
    {"credentials", &StorageConfig::credentials,
     "Where the S3 keys are: env (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), file:PATH "
     "(aws_access_key_id = … and so on, as in ~/.aws/credentials) or profile:NAME (that section of "
     "~/.aws/credentials)."},
    {"writer", &StorageConfig::writer,
     "Keys of the identity that writes the log and may only put: file:PATH or profile:NAME. enclave run and up "
     "write the log with them. Without them the audit cannot tell whether writing is kept apart."},
    {"other", &StorageConfig::other,
     "Keys of an account that has nothing to do with the buckets, for the audit's trials only: file:PATH or "
     "profile:NAME."},
    {"region", &StorageConfig::region, "Region that requests are signed for."},
    {"ca", &StorageConfig::ca,
     "File with the certificates (PEM) that the server is checked against, instead of the "
     "system's."},
    {"addressing", &StorageConfig::addressing,
     "Where a bucket's name goes: into the path (https://HOST/BUCKET) or the host name (https://BUCKET.HOST); auto: "
     "into the host name on Amazon's servers.",
     kAddressing},
    {"proxy", &StorageConfig::proxy, "HTTP proxy on the way to the server: http://HOST:PORT."},
    {"plain_endpoint", &StorageConfig::plain_endpoint,
     "The same server without TLS, http://HOST:PORT, where the audit tries whether plain HTTP is refused. Default: "
     "port 80 of the endpoint's host."},
    {"swift_url", &StorageConfig::swift_url,
     "Where the same buckets are reached by Swift, https://HOST/v1/AUTH_ACCOUNT; the audit tries that nobody can read "
     "them there."},
    {"insecure_http", &StorageConfig::insecure_http, "Allow an endpoint with http://, for tests only."},
};
constexpr Option<BucketConfig> kBucket[] = {
    {"name", &BucketConfig::name, "Name of the bucket: 3 to 63 of a-z, 0-9, \".\" and \"-\". Required."},
    {"for", &BucketConfig::purpose, "What it holds. One bucket is for logs; without one it is named logs.", kPurposes},
    {"retain", &BucketConfig::retain, "How long objects are kept from deletion; 0s: no such time."},
    {"lock", &BucketConfig::lock,
     "How retain is enforced: compliance (nobody can shorten it), governance (the owner of the bucket can) or none. "
     "Default: compliance when retain is set.",
     kLocks},
    {"old_versions", &BucketConfig::old_versions,
     "How long versions that were replaced or deleted are kept; 0s: for ever."},
    {"recipients", &BucketConfig::recipients,
     "Of a data bucket: to whom its objects are encrypted (age1…). None of them may be a recipient of the log."},
};
constexpr Option<KeysConfig> kKeys[] = {
    {"provider", &KeysConfig::provider, "Where keys are kept.", kProviders},
    {"identity", &KeysConfig::identity,
     "File with the log identity, which opens the log (age). Made at the first start when there are no recipients; "
     "move it to another machine."},
    {"recipients", &KeysConfig::recipients,
     "To whom the log is encrypted (age1…). When given, no identity is made on this machine."},
};
constexpr Option<ArchiveConfig> kArchive[] = {
    {"flush_after", &ArchiveConfig::flush_after, "A record is sealed at the latest when it is this old."},
    {"batch_bytes", &ArchiveConfig::batch_bytes, "A batch is sealed when it holds this much plain text."},
    {"object_bytes", &ArchiveConfig::object_bytes, "Or when it holds this much compressed."},
    {"heartbeat", &ArchiveConfig::heartbeat, "When nothing happens, the log says so this often."},
};
constexpr Option<SpoolConfig> kSpool[] = {
    {"bytes_max", &SpoolConfig::bytes_max,
     "Disk space for what the store does not have yet. When it is used up, reading stops; nothing is dropped."},
    {"segment_bytes", &SpoolConfig::segment_bytes, "Size of one spool file."},
};
constexpr Option<MetricsConfig> kMetrics[] = {
    {"listen", &MetricsConfig::listen,
     "Address and port, such as 127.0.0.1:8471, where enclave run answers GET /metrics (Prometheus) and GET /healthz; "
     "off: nowhere. Whoever reaches the port can read them."},
};
constexpr Option<VerifyConfig> kVerify[] = {
    {"stale_after", &VerifyConfig::stale_after, "A log that has been silent for longer is STALE; 0s: never."},
};
constexpr Option<WaiverConfig> kWaiver[] = {
    {"control", &WaiverConfig::control, "Id of the control, such as storage.versioning. Required."},
    {"subject", &WaiverConfig::subject, "Only for this bucket; without it for all."},
    {"reason", &WaiverConfig::reason, "Why it is accepted; stands in every report. Required."},
    {"until", &WaiverConfig::until, "The last day on which it holds, as YYYY-MM-DD in UTC. Required."},
};
constexpr std::string_view kLoggingKeys[] = {"inputs", "pipeline"};

/// A section that is not there, or empty, has its defaults.
const Node* section(const Node& root, std::string_view key) {
  const Node* found = root.find(key);
  return found == nullptr || found->kind == Node::Kind::null ? nullptr : found;
}

/// The items of a list that is there; a mistake otherwise.
const Node* list_section(const Node& parent, std::string_view key, std::string_view wanted, Diagnostics& diagnostics) {
  const Node* found = section(parent, key);
  if (found == nullptr || found->kind == Node::Kind::list) return found;
  diagnostics.error(found->place, fmt::format("{}: a list is wanted: {}", key, wanted));
  return nullptr;
}

void parse_buckets(const Node& root, std::vector<BucketConfig>& buckets, Diagnostics& diagnostics) {
  const Node* list = list_section(root, "buckets", "- {name: NAME, for: data or logs}", diagnostics);
  if (list == nullptr) return;
  for (const Node& item : list->items)
    parse_options<BucketConfig>(item, kBucket, buckets.emplace_back(), "buckets", diagnostics);
  check_buckets(*list, buckets, diagnostics);
}

void parse_waivers(const Node& root, std::vector<WaiverConfig>& waivers, Diagnostics& diagnostics) {
  const Node* list = list_section(root, "waivers", "- {control: ID, reason: WHY, until: YYYY-MM-DD}", diagnostics);
  if (list == nullptr) return;
  if (list->items.size() > kWaiversMax) {
    diagnostics.error(list->place, fmt::format("waivers: {} of them, at most {}", list->items.size(), kWaiversMax));
    return;
  }
  for (const Node& item : list->items) {
    WaiverConfig& waiver = waivers.emplace_back();
    parse_options<WaiverConfig>(item, kWaiver, waiver, "waivers", diagnostics);
    if (item.kind == Node::Kind::map) check_waiver(item, waiver, diagnostics);
  }
}

std::vector<std::string_view> input_types() {
  std::vector<std::string_view> names;
  for (const InputPlugin* plugin : input_plugins()) names.push_back(plugin->name);
  return names;
}

const InputPlugin* find_plugin(const Node& input, Diagnostics& diagnostics) {
  const Node* type = input.find("type");
  const auto names = input_types();
  std::string known;
  for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
  if (type == nullptr || type->kind != Node::Kind::scalar) {
    diagnostics.error(type == nullptr ? input.place : type->place,
                      fmt::format("an input without a type; add type: and one of {}", known));
    return nullptr;
  }
  for (const InputPlugin* plugin : input_plugins())
    if (plugin->name == type->scalar) return plugin;
  const std::string near = nearest(type->scalar, names);
  diagnostics.error(type->place, fmt::format("type: \"{}\" is not one of {}{}", type->scalar, known,
                                             near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  return nullptr;
}

struct CommonInput {
  std::string id;
  bool enabled = true;
};
constexpr Option<CommonInput> kCommonInput[] = {
    {"id", &CommonInput::id, "Name of the input in messages."},
    {"enabled", &CommonInput::enabled, "Whether it is read at all."},
};

void parse_input(const Node& node, InputConfig& input, Diagnostics& diagnostics) {
  input.node = node;
  if (!options_detail::expect_map(node, "inputs", diagnostics)) return;
  input.plugin = find_plugin(node, diagnostics);
  CommonInput common;
  for (const auto& option : kCommonInput) {
    const Node* value = node.find(option.name);
    if (value == nullptr) continue;
    std::visit([&](auto field) { options_detail::set(common.*field, *value, option.name, diagnostics); }, option.field);
  }
  input.id = common.id;
  input.enabled = common.enabled;
  if (const Node* id = node.find("id"); id != nullptr && id->kind == Node::Kind::scalar && !is_enclave_name(input.id))
    diagnostics.error(id->place,
                      fmt::format("id: \"{}\" is not a name; 1 to 64 letters, digits, \".\", \"_\" and \"-\" "
                                  "are allowed, the first a letter or a digit",
                                  input.id));
  if (input.plugin != nullptr) input.plugin->check(input.node, diagnostics);
}

void parse_inputs(const Node& root, std::vector<InputConfig>& inputs, std::string& pipeline, Diagnostics& diagnostics) {
  const Node* logging = section(root, "logging");
  if (logging == nullptr || !options_detail::expect_map(*logging, "logging", diagnostics)) return;
  for (const auto& member : logging->members)
    if (member.key == kLoggingKeys[1]) {
      options_detail::set(pipeline, member.value, member.key, diagnostics);
    } else if (member.key != kLoggingKeys[0])
      options_detail::unknown_key(member, kLoggingKeys, diagnostics);
  const Node* list = list_section(*logging, "inputs", "- {type: file, paths: [/var/log/*.log]}", diagnostics);
  if (list == nullptr) return;
  if (list->items.size() > kInputsMax) {
    diagnostics.error(list->place, fmt::format("inputs: {} of them, at most {}", list->items.size(), kInputsMax));
    return;
  }
  std::map<std::string, int> ids;
  for (const Node& item : list->items) {
    InputConfig& input = inputs.emplace_back();
    parse_input(item, input, diagnostics);
    if (input.id.empty() && input.plugin != nullptr) input.id = fmt::format("{}-{}", input.plugin->name, inputs.size());
    if (input.id.empty()) continue;
    if (const auto [other, added] = ids.emplace(input.id, item.place.line); !added)
      diagnostics.error(place_of(item, "id"),
                        fmt::format("id: \"{}\" is the id of the input on line {} already", input.id, other->second));
  }
  for (const InputPlugin* plugin : input_plugins()) {
    std::vector<const Node*> together;
    for (const InputConfig& input : inputs)
      if (input.plugin == plugin && input.enabled) together.push_back(&input.node);
    if (plugin->check_together != nullptr && together.size() > 1) plugin->check_together(together, diagnostics);
  }
}

template <class T>
void parse_section(const Node& root, std::string_view key, std::span<const Option<T>> table, T& into,
                   void (*check)(const Node&, const T&, Diagnostics&), Diagnostics& diagnostics) {
  const Node* node = section(root, key);
  if (node == nullptr) return;
  const std::size_t before = diagnostics.errors();
  parse_options<T>(*node, table, into, key, diagnostics);
  // A value that could not be read left its default behind; judging that one would only confuse.
  if (check != nullptr && diagnostics.errors() == before) check(*node, into, diagnostics);
}

void check_enclave(const Node& root, const Config& config, Diagnostics& diagnostics) {
  const Node* name = root.find("enclave");
  if (name == nullptr || name->kind == Node::Kind::null) {
    diagnostics.error(name == nullptr ? root.place : name->place,
                      "the name of the enclave is missing; add a line enclave: NAME");
  } else if (name->kind == Node::Kind::scalar && !is_enclave_name(config.enclave)) {
    diagnostics.error(name->place,
                      fmt::format("enclave: \"{}\" is not a name; 1 to 64 letters, digits, \".\", \"_\" and \"-\" are "
                                  "allowed, the first a letter or a digit",
                                  config.enclave));
  }
  if (const Node* state = root.find("state"); state != nullptr && config.state.empty())
    diagnostics.error(state->place, "state: the name of a directory is missing");
}

std::string absolute(const std::string& path, const std::string& base) {
  if (path.starts_with('/')) return path;
  std::string_view rest = path;
  while (rest.starts_with("./")) rest.remove_prefix(2);
  return rest == "." ? base : join_path(base, rest);
}

/// What follows from the values: absolute paths, and defaults that depend on others.
void resolve(Config& config) {
  const std::string base = parent_of(config.path);
  config.state = absolute(config.state, base);
  while (config.state.size() > 1 && config.state.ends_with('/')) config.state.pop_back();
  StorageConfig& storage = config.storage;
  if (storage.endpoint.empty()) storage.endpoint = "file://" + join_path(config.state, "store");
  while (storage.endpoint.size() > 8 && storage.endpoint.ends_with('/')) storage.endpoint.pop_back();
  if (!config.pipeline.empty()) config.pipeline = absolute(config.pipeline, base);
  if (!storage.ca.empty()) storage.ca = absolute(storage.ca, base);
  for (std::string* keys : {&storage.credentials, &storage.writer, &storage.other})
    if (keys->starts_with("file:")) *keys = "file:" + absolute(keys->substr(5), base);
  for (BucketConfig& bucket : config.buckets)
    if (bucket.lock.empty()) bucket.lock = bucket.retain.count() > 0 ? "compliance" : "none";
  config.keys.identity = config.keys.identity.empty() ? join_path(config.state, "keys/log-identity.txt")
                                                      : absolute(config.keys.identity, base);
}

}  // namespace

std::string Config::data_identity(std::string_view bucket) const {
  return join_path(state, fmt::format("keys/{}-identity.txt", bucket));
}

std::string Config::log_bucket() const {
  for (const auto& bucket : buckets)
    if (bucket.purpose == "logs") return bucket.name;
  return "logs";
}

const BucketConfig* Config::bucket(std::string_view name) const {
  for (const auto& bucket : buckets)
    if (bucket.name == name) return &bucket;
  return nullptr;
}

Config parse_config(const Node& root, const std::string& path, Diagnostics& diagnostics) {
  Config config;
  config.path = path;
  if (root.kind == Node::Kind::null) {
    diagnostics.error(root.place, "the file says nothing; the smallest one is: enclave: NAME");
    return config;
  }
  parse_options<Config>(root, kTop, config, "the file", diagnostics, kSections);
  if (root.kind != Node::Kind::map) return config;
  check_enclave(root, config, diagnostics);
  if (const Node* node = section(root, "storage")) {
    const std::size_t before = diagnostics.errors();
    parse_options<StorageConfig>(*node, kStorage, config.storage, "storage", diagnostics);
    if (diagnostics.errors() == before) check_storage(*node, config.storage, diagnostics);
  }
  parse_buckets(root, config.buckets, diagnostics);
  parse_inputs(root, config.inputs, config.pipeline, diagnostics);
  parse_section<KeysConfig>(root, "keys", kKeys, config.keys, check_keys, diagnostics);
  parse_section<ArchiveConfig>(root, "archive", kArchive, config.archive, check_archive, diagnostics);
  parse_section<SpoolConfig>(root, "spool", kSpool, config.spool, check_spool, diagnostics);
  parse_section<MetricsConfig>(root, "metrics", kMetrics, config.metrics, check_metrics, diagnostics);
  parse_section<VerifyConfig>(root, "verify", kVerify, config.verify, nullptr, diagnostics);
  parse_waivers(root, config.waivers, diagnostics);
  check_recipients_apart(root, config, diagnostics);
  resolve(config);
  return config;
}

Config parse_config_text(std::string_view text, const std::string& path, Diagnostics& diagnostics,
                         const std::string& shown) {
  Diagnostics found;
  Config config;
  const Node root = parse_yaml(text, shown.empty() ? path : shown, found);
  // A file that is no YAML has said so; what is missing in it is not known.
  if (!found.has_errors() || root.kind != Node::Kind::null) config = parse_config(root, path, found);
  std::vector<Diagnostics::Entry> entries(found.entries().begin(), found.entries().end());
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& entry = entries[i];
    if (i == kMistakesMax) {
      diagnostics.error(entry.place, fmt::format("and {} more, from here on", entries.size() - i));
      break;
    }
    if (entry.severity == Diagnostics::Severity::error) {
      diagnostics.error(std::move(entry.place), std::move(entry.text));
    } else {
      diagnostics.warning(std::move(entry.place), std::move(entry.text));
    }
  }
  return config;
}

Result<Config> load_config(Files& files, const std::string& path, Diagnostics& diagnostics, const std::string& shown) {
  const std::string text = TRY(read_file(files, path, kYamlBytesMax));
  const std::size_t before = diagnostics.errors();
  Config config = parse_config_text(text, path, diagnostics, shown);
  const std::size_t mistakes = diagnostics.errors() - before;
  if (mistakes > 0)
    return Error{Fault::invalid, "{} mistake{} in {}", mistakes, mistakes == 1 ? "" : "s",
                 shown.empty() ? path : shown};
  return config;
}

namespace {

void set_fallback(std::vector<OptionCard>& cards, std::string_view name, std::string text) {
  for (auto& card : cards)
    if (card.name == name) card.fallback = std::move(text);
}

}  // namespace

std::vector<ConfigSection> config_manual() {
  std::vector<ConfigSection> sections;
  sections.push_back({"", "At the top of the file.", cards_of<Config>(kTop)});
  sections.push_back({"storage", "The object store.", cards_of<StorageConfig>(kStorage)});
  set_fallback(sections.back().cards, "endpoint", "file://STATE/store");
  sections.push_back({"buckets[]", "The buckets, as a list.", cards_of<BucketConfig>(kBucket)});
  sections.push_back(
      {"logging",
       "What is read, and what is made of it.",
       {OptionCard{"pipeline",
                   "text",
                   "",
                   "A Logstash configuration (a file, a folder or a glob) whose filters run over what is read.",
                   {}}}});
  auto common = cards_of<CommonInput>(kCommonInput);
  set_fallback(common, "id", "TYPE-NUMBER");
  common.insert(common.begin(), OptionCard{"type", "text", "", "What is read. Required.", input_types()});
  sections.push_back({"logging.inputs[]", "What is read, as a list. These keys are the same for every type.", common});
  for (const InputPlugin* plugin : input_plugins())
    sections.push_back(
        {fmt::format("logging.inputs[] type: {}", plugin->name), std::string(plugin->help), plugin->options()});
  sections.push_back({"keys", "Who can read the log.", cards_of<KeysConfig>(kKeys)});
  set_fallback(sections.back().cards, "identity", "STATE/keys/log-identity.txt");
  sections.push_back({"archive", "When records are sealed.", cards_of<ArchiveConfig>(kArchive)});
  sections.push_back({"spool", "Where records wait until they are sealed and sent.", cards_of<SpoolConfig>(kSpool)});
  sections.push_back({"metrics", "How others see that it runs.", cards_of<MetricsConfig>(kMetrics)});
  set_fallback(sections.back().cards, "listen", "off");
  sections.push_back({"verify", "What enclave verify finds fault with.", cards_of<VerifyConfig>(kVerify)});
  sections.push_back(
      {"waivers[]", "Controls that may fail for a time, as a list: plan and apply leave them alone, audit says waived.",
       cards_of<WaiverConfig>(kWaiver)});
  return sections;
}

}  // namespace enclave::pipeline
