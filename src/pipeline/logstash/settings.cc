#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "pipeline/config/yaml.h"
#include "pipeline/logstash/config_files.h"

namespace enclave::pipeline::logstash {
namespace {

/// One setting with the dots of its full name.
struct Entry {
  std::string key;
  const Node* node = nullptr;
  Place place;
};

void flatten(const Node& node, const std::string& prefix, const Place& place, std::vector<Entry>& out) {
  if (node.kind != Node::Kind::map) {
    out.push_back({prefix, &node, place});
    return;
  }
  for (const auto& member : node.members)
    flatten(member.value, prefix.empty() ? member.key : prefix + "." + member.key, member.place, out);
}

/// Known to Logstash; here they change nothing, because the thing they steer is done otherwise or not at all.
constexpr std::string_view kWithoutEffect[] = {"allow_superuser",
                                               "api.environment",
                                               "api.auth.type",
                                               "api.ssl.enabled",
                                               "config.debug",
                                               "config.test_and_exit",
                                               "dead_letter_queue.flush_interval",
                                               "dead_letter_queue.retain.age",
                                               "dead_letter_queue.storage_policy",
                                               "log.format",
                                               "metric.collect",
                                               "modules",
                                               "path.plugins",
                                               "path.settings",
                                               "pipeline.batch.metrics.sampling_mode",
                                               "pipeline.buffer.type",
                                               "pipeline.plugin_classloaders",
                                               "pipeline.separate_logs",
                                               "pipeline.system",
                                               "pipeline.unsafe_shutdown",
                                               "plugin_classloaders",
                                               "queue.checkpoint.acks",
                                               "queue.checkpoint.interval",
                                               "queue.checkpoint.retry",
                                               "queue.checkpoint.writes",
                                               "queue.compression",
                                               "queue.drain",
                                               "queue.max_events",
                                               "queue.page_capacity",
                                               "path.queue",
                                               "slowlog.threshold",
                                               "http.environment",
                                               "monitoring.enabled",
                                               "xpack.monitoring.enabled",
                                               "xpack.management.enabled",
                                               "xpack.monitoring.elasticsearch.hosts",
                                               "xpack.monitoring.elasticsearch.username",
                                               "xpack.monitoring.elasticsearch.password"};

bool is_without_effect(std::string_view key) {
  return key.starts_with("xpack.") || key.starts_with("monitoring.") || key.starts_with("slowlog.") ||
         key.starts_with("api.auth.") || key.starts_with("api.ssl.") ||
         std::find(std::begin(kWithoutEffect), std::end(kWithoutEffect), key) != std::end(kWithoutEffect);
}

constexpr std::string_view kOrdered[] = {"auto", "true", "false"};
constexpr std::string_view kEcs[] = {"disabled", "v1", "v8"};
constexpr std::string_view kEscapes[] = {"none", "percent", "ampersand"};
constexpr std::string_view kQueues[] = {"memory", "persisted"};
constexpr std::string_view kLevels[] = {"fatal", "error", "warn", "info", "debug", "trace"};

class Reader {
 public:
  Reader(const Variables& variables, Diagnostics& diagnostics) : variables_(variables), diagnostics_(diagnostics) {}

  /// False when a pipeline has no such setting.
  bool pipeline(const Entry& entry, PipelineSettings& into) {
    const std::string& key = entry.key;
    if (key == "pipeline.id") return text(entry, into.id);
    if (key == "path.config") return path(entry, into.config_path);
    if (key == "config.string") return raw(entry, into.config_string);
    if (key == "pipeline.workers") return number(entry, 1, 1024, into.workers);
    if (key == "pipeline.batch.size") return number(entry, 1, 1'000'000, into.batch_size);
    if (key == "pipeline.batch.delay") return milliseconds(entry, into.batch_delay);
    if (key == "pipeline.ordered") return word(entry, kOrdered, into.ordered);
    if (key == "pipeline.ecs_compatibility") return word(entry, kEcs, into.ecs_compatibility);
    if (key == "config.support_escapes") return boolean(entry, into.support_escapes);
    if (key == "config.field_reference.escape_style") return word(entry, kEscapes, into.escape_style);
    if (key == "config.reload.automatic") return boolean(entry, into.reload);
    if (key == "pipeline.reloadable") return boolean(entry, into.reloadable);
    if (key == "config.reload.interval") return duration(entry, into.reload_interval);
    if (key == "queue.type") return word(entry, kQueues, into.queue_type);
    if (key == "queue.max_bytes") return bytes(entry, into.queue_bytes_max);
    if (key == "dead_letter_queue.enable") return boolean(entry, into.dead_letters);
    if (key == "dead_letter_queue.max_bytes") return bytes(entry, into.dead_letter_bytes_max);
    if (key == "path.dead_letter_queue") return text(entry, into.dead_letter_path);
    if (key == "enabled" || key == "pipeline.enabled") return boolean(entry, into.enabled);
    return false;
  }

  bool general(const Entry& entry, Settings& into) {
    const std::string& key = entry.key;
    if (key == "path.data") return text(entry, into.data_path);
    if (key == "path.logs") return text(entry, into.logs_path);
    if (key == "log.level") return word(entry, kLevels, into.log_level);
    if (key == "node.name") return text(entry, into.node_name);
    if (key == "api.http.host" || key == "http.host") return into.api_named = text(entry, into.api_host);
    if (key == "api.http.port" || key == "http.port") return into.api_named = text(entry, into.api_port);
    if (key == "api.enabled" || key == "http.enabled") return into.api_named = boolean(entry, into.api_enabled);
    return pipeline(entry, into.defaults);
  }

  void unknown(const Entry& entry, bool all) {
    if (is_without_effect(entry.key)) {
      diagnostics_.warning(entry.place, fmt::format("{} has no effect here", entry.key));
      return;
    }
    constexpr std::string_view kKnown[] = {"pipeline.id",
                                           "path.config",
                                           "config.string",
                                           "pipeline.workers",
                                           "pipeline.batch.size",
                                           "pipeline.batch.delay",
                                           "pipeline.ordered",
                                           "pipeline.ecs_compatibility",
                                           "config.support_escapes",
                                           "config.field_reference.escape_style",
                                           "config.reload.automatic",
                                           "config.reload.interval",
                                           "pipeline.reloadable",
                                           "queue.type",
                                           "queue.max_bytes",
                                           "dead_letter_queue.enable",
                                           "dead_letter_queue.max_bytes",
                                           "path.dead_letter_queue",
                                           "path.data",
                                           "path.logs",
                                           "log.level",
                                           "node.name",
                                           "api.enabled",
                                           "api.http.host",
                                           "api.http.port"};
    const std::string near = nearest(entry.key, kKnown);
    diagnostics_.warning(entry.place,
                         fmt::format("{} is no setting of {}{}", entry.key, all ? "logstash.yml" : "a pipeline",
                                     near.empty() || near == entry.key ? "" : fmt::format("; did you mean {}?", near)));
  }

 private:
  bool wrong(const Entry& entry, std::string_view wanted) {
    diagnostics_.error(entry.place, fmt::format("{}: {} is wanted", entry.key, wanted));
    return true;
  }

  /// The scalar with its variables replaced; none after a mistake that was told, or where nothing stands.
  std::optional<std::string> scalar(const Entry& entry) {
    if (entry.node->kind == Node::Kind::null) return std::nullopt;
    if (entry.node->kind != Node::Kind::scalar) {
      wrong(entry, "a single value");
      return std::nullopt;
    }
    auto replaced = substitute(entry.node->scalar, variables_);
    if (replaced) return std::move(*replaced);
    diagnostics_.error(entry.place, replaced.error().text());
    return std::nullopt;
  }

  bool text(const Entry& entry, std::string& into) {
    if (auto value = scalar(entry)) into = std::move(*value);
    return true;
  }
  /// What is a configuration itself gets its variables where they stand in it.
  bool raw(const Entry& entry, std::string& into) {
    if (entry.node->kind == Node::Kind::scalar) into = entry.node->scalar;
    if (entry.node->kind == Node::Kind::list) return wrong(entry, "a text");
    return true;
  }
  bool path(const Entry& entry, std::string& into) {
    if (entry.node->kind == Node::Kind::list) return wrong(entry, "one path; a glob names several files");
    return text(entry, into);
  }
  bool number(const Entry& entry, std::uint64_t least, std::uint64_t most, std::uint64_t& into) {
    const auto value = scalar(entry);
    if (!value) return true;
    std::uint64_t parsed = 0;
    const char* end = value->data() + value->size();
    const auto [stop, fault] = std::from_chars(value->data(), end, parsed);
    if (fault != std::errc() || stop != end || parsed < least || parsed > most)
      return wrong(entry, fmt::format("a number from {} to {}", least, most));
    into = parsed;
    return true;
  }
  bool milliseconds(const Entry& entry, Nanoseconds& into) {
    std::uint64_t value = 0;
    const std::size_t before = diagnostics_.errors();
    constexpr std::uint64_t kHour = 3'600'000;
    number(entry, 0, kHour, value);
    if (diagnostics_.errors() == before && entry.node->kind == Node::Kind::scalar)
      into = std::chrono::milliseconds(value);
    return true;
  }
  bool duration(const Entry& entry, Nanoseconds& into) {
    const auto value = scalar(entry);
    if (!value) return true;
    // A number alone counts seconds.
    const bool bare = value->find_first_not_of("0123456789") == std::string::npos && !value->empty();
    const auto parsed = parse_duration(bare ? *value + "s" : *value);
    if (!parsed) return wrong(entry, "a duration such as 3s");
    into = *parsed;
    return true;
  }
  bool boolean(const Entry& entry, bool& into) {
    const auto value = scalar(entry);
    if (!value) return true;
    if (*value != "true" && *value != "false") return wrong(entry, "true or false");
    into = *value == "true";
    return true;
  }
  bool word(const Entry& entry, std::span<const std::string_view> words, std::string& into) {
    const auto value = scalar(entry);
    if (!value) return true;
    if (std::find(words.begin(), words.end(), *value) == words.end())
      return wrong(entry, fmt::format("one of {}", fmt::join(words, ", ")));
    into = *value;
    return true;
  }
  /// As Logstash writes it: 1gb, 512mb, 64kb, or a number of bytes.
  bool bytes(const Entry& entry, ByteCount& into) {
    const auto value = scalar(entry);
    if (!value) return true;
    std::uint64_t count = 0;
    const char* end = value->data() + value->size();
    const auto [stop, fault] = std::from_chars(value->data(), end, count);
    std::string unit;
    for (const char* c = stop; c != end; ++c) unit += *c >= 'A' && *c <= 'Z' ? static_cast<char>(*c + 32) : *c;
    constexpr std::string_view kUnits[] = {"", "kb", "mb", "gb", "tb"};
    const auto* found = std::find(std::begin(kUnits), std::end(kUnits), unit == "b" ? "" : unit);
    constexpr std::uint64_t kCountMax = std::uint64_t{1} << 23;  // of any unit: the product fits
    if (fault != std::errc() || found == std::end(kUnits) || (!unit.empty() && count >= kCountMax))
      return wrong(entry, "a size such as 1gb");
    into = {count << (10 * (found - std::begin(kUnits)))};
    return true;
  }

  const Variables& variables_;
  Diagnostics& diagnostics_;
};

}  // namespace

Settings parse_settings(std::string_view text, const std::string& file, const Variables& variables,
                        Diagnostics& diagnostics) {
  Settings out;
  const Node root = parse_yaml(text, file, diagnostics);
  if (root.kind == Node::Kind::null) return out;
  if (root.kind != Node::Kind::map) {
    diagnostics.error(root.place, "settings are wanted, one a line: pipeline.workers: 2");
    return out;
  }
  std::vector<Entry> entries;
  flatten(root, "", root.place, entries);
  Reader reader(variables, diagnostics);
  for (const auto& entry : entries)
    if (!reader.general(entry, out)) reader.unknown(entry, true);
  return out;
}

std::vector<PipelineSettings> parse_pipelines(std::string_view text, const std::string& file,
                                              const PipelineSettings& defaults, const Variables& variables,
                                              Diagnostics& diagnostics) {
  std::vector<PipelineSettings> out;
  const Node root = parse_yaml(text, file, diagnostics);
  if (root.kind == Node::Kind::null) return out;
  if (root.kind != Node::Kind::list || root.items.size() > kPipelinesMax) {
    diagnostics.error(root.place,
                      fmt::format("a list of at most {} pipelines is wanted: - pipeline.id: main", kPipelinesMax));
    return out;
  }
  Reader reader(variables, diagnostics);
  std::set<std::string> ids;
  for (const auto& item : root.items) {
    if (item.kind != Node::Kind::map) {
      diagnostics.error(item.place, "a pipeline is wanted: - pipeline.id: main");
      continue;
    }
    PipelineSettings one = defaults;
    one.id.clear();
    one.config_path.clear();
    one.config_string.clear();
    std::vector<Entry> entries;
    flatten(item, "", item.place, entries);
    for (const auto& entry : entries)
      if (!reader.pipeline(entry, one)) reader.unknown(entry, false);
    if (one.id.empty()) {
      diagnostics.error(item.place, "this pipeline has no pipeline.id");
    } else if (!ids.insert(one.id).second) {
      diagnostics.error(item.place, fmt::format("two pipelines have the pipeline.id {}", one.id));
    }
    if (one.config_path.empty() == one.config_string.empty())
      diagnostics.error(item.place, one.config_path.empty() ? "this pipeline has neither path.config nor config.string"
                                                            : "this pipeline has both path.config and config.string");
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace enclave::pipeline::logstash
