#include <algorithm>
#include <tuple>

#include "pipeline/config/yaml.h"
#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::string_view kOtherOutputs[] = {"kafka", "redis", "discard", "otelconsumer"};
/// Known to Filebeat; what they steer is done otherwise here, or not at all.
constexpr std::string_view kWithoutEffect[] = {"setup",
                                               "monitoring",
                                               "xpack",
                                               "http.named_pipe",
                                               "http.pprof",
                                               "http.user",
                                               "max_procs",
                                               "keystore",
                                               "cloud",
                                               "migration",
                                               "seccomp",
                                               "features",
                                               "path",
                                               "dashboards",
                                               "geoip",
                                               "timezone",
                                               "instrumentation",
                                               "timestamp",
                                               "filebeat.overwrite_pipelines"};
/// Of Filebeat 5, which 6 no longer had.
constexpr std::string_view kRemoved[] = {"filebeat.spool_size", "filebeat.idle_timeout", "filebeat.publish_async",
                                         "filebeat.publish_async_old", "filebeat.force_close_files"};
constexpr std::string_view kNotOffered[] = {"filebeat.modules", "filebeat.autodiscover", "filebeat.config.modules",
                                            "queue.spool", "queue.disk"};
constexpr std::string_view kTop[] = {"output", "logging",           "processors", "name",    "tags",
                                     "fields", "fields_under_root", "queue",      "setup",   "path",
                                     "http",   "monitoring",        "max_procs",  "filebeat"};
constexpr std::string_view kBelowFilebeat[] = {"inputs",     "prospectors",  "registry_file",
                                               "registry",   "config_dir",   "shutdown_timeout",
                                               "spool_size", "idle_timeout", "registry_flush"};

template <class List>
bool has(const List& list, std::string_view key) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

class FileReader {
 public:
  FileReader(Reader& reader, Config& config) : reader_(reader), config_(config) {}

  void read(const Node& root) {
    Slots slots = general_slots(config_);
    append(slots, "", filebeat_slots(config_));
    const auto nothing = [](const Node::Member&, const std::string&) {};
    const auto inputs = [this](const Node::Member& member, const std::string& name) {
      read_inputs(reader_, member.value, name, config_.inputs);
    };
    const auto files = [this](const Node::Member& member, const std::string&) { input_files(member); };
    Handlers handlers = {{"filebeat.inputs", inputs},
                         {"filebeat.prospectors", inputs, {.last = 6, .instead = "filebeat.inputs"}},
                         {"filebeat.config.inputs", files},
                         {"filebeat.config.prospectors", files, {.last = 6, .instead = "filebeat.config.inputs"}},
                         {"filebeat.config_dir",
                          [this](const Node::Member& member, const std::string& name) { config_dir(member, name); },
                          {.last = 6, .instead = "filebeat.config.inputs.path"}},
                         {"processors",
                          [this](const Node::Member& member, const std::string& name) {
                            config_.processors = read_processors(reader_, member.value, name);
                          }},
                         {"output", [this](const Node::Member& member, const std::string&) { outputs(member.value); }}};
    for (const auto name : kWithoutEffect) handlers.push_back({std::string(name), without_effect()});
    for (const auto name : kNotOffered) handlers.push_back({std::string(name), not_offered()});
    handlers.push_back({"path", nothing});
    reader_.walk(root, "Filebeat", slots, handlers,
                 [this](const Node::Member& member, const std::string& name) { return unknown(member, name); });
    if (config_.queue.flush_min_events > config_.queue.events)
      error(place_of(root, "queue.mem"), "queue.mem.flush.min_events is more than queue.mem.events");
  }

 private:
  using Take = std::function<void(const Node::Member&, const std::string&)>;

  void warn(const Place& place, std::string text) { reader_.diagnostics().warning(place, std::move(text)); }
  void error(const Place& place, std::string text) { reader_.diagnostics().error(place, std::move(text)); }

  Take without_effect() {
    return [this](const Node::Member& member, const std::string& name) {
      // Folders are used by ${path.data} and its like.
      if (name != "path") warn(member.place, fmt::format("{} changes nothing here", name));
    };
  }
  Take not_offered() {
    return [this](const Node::Member& member, const std::string& name) {
      const Node* enabled = member.value.find("enabled");
      const bool off = member.value.kind == Node::Kind::null || (enabled != nullptr && enabled->scalar == "false");
      if (!off) warn(member.place, fmt::format("{} is not yet offered, and has no effect", name));
    };
  }

  bool unknown(const Node::Member& member, const std::string& name) {
    if (has(kRemoved, name)) {
      warn(member.place, fmt::format("{} is of Filebeat 5 and has no effect; remove it", name));
      return true;
    }
    if (name.starts_with("filebeat.") && has(kTop, name.substr(9))) {
      warn(member.place, fmt::format("{} has no effect below filebeat; it belongs at the top of the file: take its "
                                     "indentation away",
                                     member.key));
      return true;
    }
    if (has(kBelowFilebeat, name)) {
      warn(member.place, fmt::format("{0} has no effect here; it belongs below filebeat: write filebeat.{0}", name));
      return true;
    }
    if (name == "shipper" || name == "shipping") {
      warn(member.place,
           fmt::format("{} is no setting of Filebeat, and has no effect; the shipper is named by name, and "
                       "where events go stands in output",
                       name));
      return true;
    }
    return false;
  }

  void config_dir(const Node::Member& member, const std::string& name) {
    auto path = reader_.scalar(member.value, name);
    if (path) config_.input_folder = {std::move(*path), member.place, true, true};
  }

  void input_files(const Node::Member& member) {
    InputFiles& files = config_.input_files;
    files.place = member.place;
    // Like Filebeat itself, unless it is told: without `enabled` they are read.
    reader_.walk(member.value, "filebeat.config.inputs",
                 {{"enabled", &files.enabled},
                  {"path", &files.path},
                  {"reload.enabled", &files.reload},
                  {"reload.period", &files.period}});
  }

  void outputs(const Node& node) {
    if (node.kind == Node::Kind::null) return;
    if (node.kind != Node::Kind::map) return error(node.place, "output: a map is wanted, such as logstash: {hosts: …}");
    for (const auto& member : node.members) output(member);
  }

  void output(const Node::Member& member) {
    const std::string name = "output." + member.key;
    const bool known = has(kOutputs, member.key);
    if (!known && !has(kOtherOutputs, member.key)) {
      const std::string near = nearest(member.key, kOutputs);
      return error(member.place, fmt::format("{} is no output; {}", name,
                                             near.empty() ? "there are logstash, elasticsearch, file and console"
                                                          : fmt::format("did you mean output.{}?", near)));
    }
    bool enabled = member.value.kind == Node::Kind::map;
    if (!known) {
      if (const Node* found = member.value.find("enabled")) reader_.set({"enabled", &enabled}, *found);
      if (enabled)
        error(member.place, fmt::format("{} is not offered; logstash, elasticsearch, file and console are", name));
      return;
    }
    if (member.value.kind == Node::Kind::list || member.value.kind == Node::Kind::scalar)
      return error(member.value.place, fmt::format("{}: a map of settings is wanted", name));
    Slots slots = output_slots(config_, member.key);
    slots.push_back({"enabled", &enabled});
    reader_.walk(member.value, name, slots);
    const Node* tls = member.value.find("ssl");
    Tls& into = member.key == "logstash" ? config_.logstash.ssl : config_.elasticsearch.ssl;
    if (tls != nullptr && tls->kind == Node::Kind::map) into.present = true;
    if (!enabled) return;
    if (member.key == "elasticsearch") {
      if (const Node* found = member.value.find("indices"))
        config_.index_rules = read_choices(reader_, *found, "index");
      if (const Node* found = member.value.find("pipelines"))
        config_.pipeline_rules = read_choices(reader_, *found, "pipeline");
    }
    if (!config_.output.empty())
      return error(member.place, fmt::format("{} stands beside output.{}; Filebeat has one output: disable all others "
                                             "with enabled: false",
                                             name, config_.output));
    const Node* hosts = member.value.find("hosts");
    const bool needs_hosts = member.key == "logstash" || member.key == "elasticsearch";
    if (needs_hosts && (hosts == nullptr || hosts->kind == Node::Kind::null))
      error(member.place, fmt::format("{} needs hosts, such as hosts: [\"host:5044\"]", name));
    config_.output = member.key;
    config_.output_place = member.place;
  }

  Reader& reader_;
  Config& config_;
};

struct Guess {
  int generation = kNewest;
  std::string reason = "no key tells another";
};

/// From keys that some generations alone have: the newest of those that fit all of them.
Guess guess(const std::vector<Evidence>& evidence, Diagnostics& diagnostics) {
  int first = kOldest, last = kNewest;
  const Evidence *oldest = nullptr, *newest = nullptr;
  for (const auto& one : evidence) {
    if (one.rule.first > first) {
      first = one.rule.first;
      newest = &one;
    }
    if (one.rule.last < last) {
      last = one.rule.last;
      oldest = &one;
    }
  }
  if (oldest == nullptr) return {};
  if (first > last) {
    diagnostics.warning(oldest->place,
                        fmt::format("{} is of Filebeat {} and older, but {} (line {}) came with {}: say with compat "
                                    "which it is; {} is taken",
                                    oldest->key, last, newest->key, newest->place.line, first, first));
    return {first, fmt::format("{} on line {}", newest->key, newest->place.line)};
  }
  return {last, fmt::format("{} on line {}", oldest->key, oldest->place.line)};
}

/// ${path.data} and other settings of the file itself, then what the caller knows.
Lookup lookup_in(const Node& root, const Lookup& outside) {
  return [&root, outside](std::string_view name) -> std::optional<std::string> {
    const Node* found = find_path(root, name);
    if (found != nullptr && found->kind == Node::Kind::scalar) {
      auto text = substitute(found->scalar, outside);
      if (text) return std::move(*text);
      return std::nullopt;
    }
    if (outside)
      if (auto text = outside(name)) return text;
    // The folders of its packages for Linux.
    if (name == "path.home") return "/usr/share/filebeat";
    if (name == "path.config") return "/etc/filebeat";
    if (name == "path.data") return "/var/lib/filebeat";
    if (name == "path.logs") return "/var/log/filebeat";
    return std::nullopt;
  };
}

void give_in_order(const Diagnostics& from, Diagnostics& to) {
  std::vector<Diagnostics::Entry> entries(from.entries().begin(), from.entries().end());
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  for (auto& entry : entries) {
    if (entry.severity == Diagnostics::Severity::error) {
      to.error(std::move(entry.place), std::move(entry.text));
    } else {
      to.warning(std::move(entry.place), std::move(entry.text));
    }
  }
}

}  // namespace

Config parse_filebeat(std::string_view text, const std::string& file, const ReadOptions& options,
                      Diagnostics& diagnostics) {
  Diagnostics found;
  Node root = nested(parse_yaml(text, file, found), found);
  Config config = default_config(options.compat.value_or(kNewest));
  Guess guessed{config.generation, options.compat ? "asked for" : Guess{}.reason};
  config.generation_reason = guessed.reason;
  if (root.kind == Node::Kind::list || root.kind == Node::Kind::scalar)
    found.error(root.place, "settings are wanted, such as filebeat.inputs:");
  if (root.kind != Node::Kind::map) {
    give_in_order(found, diagnostics);
    return config;
  }
  const Lookup lookup = lookup_in(root, options.variables);
  if (!options.compat) {
    Diagnostics again;
    Reader first(text, lookup, kNewest, again);
    FileReader(first, config).read(root);
    guessed = guess(first.evidence(), found);
  }
  config = default_config(guessed.generation);
  config.generation_reason = guessed.reason;
  Reader reader(text, lookup, guessed.generation, found);
  FileReader(reader, config).read(root);
  check(config, found);
  give_in_order(found, diagnostics);
  return config;
}

}  // namespace enclave::pipeline::filebeat
