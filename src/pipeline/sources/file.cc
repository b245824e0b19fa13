#include <charconv>

#include "base/files.h"
#include "pipeline/file_state.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/sincedb.h"
#include "pipeline/source_kit.h"

namespace enclave::pipeline {

extern const InputPlugin plugin_file;

namespace {

using event::Value;

constexpr std::size_t kBracesMax = 1000;

Node scalar_node(const Place& place, std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.place = place;
  node.scalar = std::move(text);
  return node;
}

/// "/a/{b,c}.log" → "/a/b.log", "/a/c.log". A brace that is not closed stands for itself.
void expand_braces(const std::string& pattern, std::vector<std::string>& into) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = open == std::string::npos ? open : pattern.find('}', open);
  if (close == std::string::npos || into.size() >= kBracesMax) return into.push_back(pattern);
  std::string_view inner = std::string_view(pattern).substr(open + 1, close - open - 1);
  for (;;) {
    const std::size_t comma = std::min(inner.find(','), inner.size());
    expand_braces(pattern.substr(0, open) + std::string(inner.substr(0, comma)) + pattern.substr(close + 1), into);
    if (comma == inner.size()) return;
    inner.remove_prefix(comma + 1);
  }
}

/// Seconds as a number, or with a unit as people write it: "2 days", "500 ms", "1 week".
std::optional<Nanoseconds> parse_span(std::string_view text) {
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"", 1'000'000'000},
                                                                  {"ms", 1'000'000},
                                                                  {"msec", 1'000'000},
                                                                  {"us", 1'000},
                                                                  {"usec", 1'000},
                                                                  {"s", 1'000'000'000},
                                                                  {"sec", 1'000'000'000},
                                                                  {"second", 1'000'000'000},
                                                                  {"m", 60'000'000'000},
                                                                  {"min", 60'000'000'000},
                                                                  {"minute", 60'000'000'000},
                                                                  {"h", 3'600'000'000'000},
                                                                  {"hour", 3'600'000'000'000},
                                                                  {"d", 86'400'000'000'000},
                                                                  {"day", 86'400'000'000'000},
                                                                  {"w", 604'800'000'000'000},
                                                                  {"week", 604'800'000'000'000}};
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || !(number >= 0)) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.size() > 1 && unit.ends_with('s') && unit != "ms" && unit != "us") unit.remove_suffix(1);
  constexpr double kMost = 9e18;
  for (const auto& [name, ns] : kUnits)
    if (name == unit && number * static_cast<double>(ns) < kMost)
      return Nanoseconds(static_cast<std::int64_t>(number * static_cast<double>(ns)));
  return std::nullopt;
}

std::optional<Nanoseconds> span_of(logstash::PluginOptions& options, std::string_view name) {
  const auto text = options.text_if_set(name);
  if (!text) return std::nullopt;
  const auto span = parse_span(*text);
  if (!span) options.mistake(name, fmt::format("\"{}\" is not a time; write seconds, or such as \"2 days\"", *text));
  return span;
}

struct Settings {
  Node config;
  std::string sincedb_path;  ///< empty: none is taken over
  bool ecs = true;
};

class File final : public Source {
 public:
  File(Settings settings, std::string host)
      : settings_(std::move(settings)),
        path_field_(settings_.ecs ? "[log][file][path]" : "path"),
        host_field_(settings_.ecs ? "[host][name]" : "host"),
        meta_path_("[@metadata][path]"),
        meta_host_("[@metadata][host]"),
        original_(settings_.ecs),
        host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    const Positions* positions = &setup.positions;
    if (!settings_.sincedb_path.empty()) positions = take_over(setup);
    return plugin_file.open({settings_.config, setup.world, *positions, setup.log});
  }

  void describe(const event::Batch& batch, const event::Event& from, event::Document& into) const override {
    const Value path = path_of(batch.sources[from.source].source, into.arena());
    path_field_.fill(into, path);
    host_field_.fill(into, Value::of(host_));
    meta_path_.put(into, path);
    meta_host_.put(into, Value::of(host_));
    original_.fill(from, into);
  }
  bool alike(const Codec& codec) const override { return codec.keeps_payload(); }

 private:
  const Positions* take_over(const SourceSetup& setup) {
    const auto text = read_file(setup.world.files, settings_.sincedb_path, kSincedbBytesMax);
    if (!text) {
      if (text.error().fault() != Fault::absent) setup.log.trouble(settings_.sincedb_path, text.error().text());
      return &setup.positions;
    }
    const Sincedb sincedb = parse_sincedb(*text);
    if (sincedb.unread > 0)
      setup.log.trouble(settings_.sincedb_path,
                        fmt::format("{}: {} lines without a path are not taken over; their files are read as new ones",
                                    settings_.sincedb_path, sincedb.unread));
    taken_ = std::make_unique<SincedbPositions>(setup.positions, sincedb, setup.world.files);
    return taken_.get();
  }

  /// Without a copy, as names of sources are, but for unusual paths.
  static Value path_of(std::string_view source, event::Arena& arena) {
    constexpr std::string_view kPrefix = "file:";
    const std::size_t at = source.rfind('@');
    if (source.find('%') == std::string_view::npos && source.starts_with(kPrefix) && at != std::string_view::npos)
      return Value::of(source.substr(kPrefix.size(), at - kPrefix.size()));
    const auto path = path_of_source(source);
    return Value::of(path ? arena.store(*path) : source);
  }

  const Settings settings_;
  const KnownField path_field_, host_field_, meta_path_, meta_host_;
  const Original original_;
  const std::string host_;
  std::unique_ptr<SincedbPositions> taken_;
};

void add(Node& config, const std::string& key, std::string text) {
  config.members.push_back({key, config.place, scalar_node(config.place, std::move(text))});
}

void add_list(Node& config, const std::string& key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  Node list;
  list.kind = Node::Kind::list;
  list.place = config.place;
  for (const auto& text : texts) list.items.push_back(scalar_node(config.place, text));
  config.members.push_back({key, config.place, std::move(list)});
}

void read_paths(logstash::PluginOptions& options, Node& config) {
  std::vector<std::string> paths, exclude;
  for (const auto& path : options.texts("path")) expand_braces(path, paths);
  for (const auto& pattern : options.texts("exclude")) expand_braces(pattern, exclude);
  if (paths.empty()) options.mistake("path", "the files to read are wanted: path => \"/var/log/*.log\"");
  for (const auto& path : paths)
    if (!path.starts_with('/')) options.mistake("path", fmt::format("\"{}\" is not an absolute path", path));
  add_list(config, "paths", paths);
  add_list(config, "exclude", exclude);
}

void read_times(logstash::PluginOptions& options, Node& config) {
  const auto stat = span_of(options, "stat_interval");
  const std::int64_t discover = options.number("discover_interval", 15, 1, 1'000'000);
  if (stat || options.has("discover_interval")) {
    constexpr Nanoseconds kLeast = std::chrono::milliseconds(100), kMost = std::chrono::hours(24);
    const Nanoseconds each = std::min(stat.value_or(std::chrono::seconds(1)), kMost / discover);
    add(config, "scan_frequency", format_duration(std::max(kLeast, each * discover)));
  }
  if (const auto older = span_of(options, "ignore_older")) add(config, "ignore_older", format_duration(*older));
  (void)span_of(options, "close_older");
  (void)span_of(options, "sincedb_write_interval");
  (void)span_of(options, "sincedb_clean_after");
}

void read_mode(logstash::PluginOptions& options, Node& config) {
  constexpr std::string_view kStarts[] = {"beginning", "end"}, kModes[] = {"tail", "read"},
                             kActions[] = {"delete", "log", "log_and_delete"};
  const bool read = options.choice("mode", kModes, "tail") == "read";
  const bool beginning = options.choice("start_position", kStarts, "end") == "beginning";
  if (!read && !beginning) add(config, "from_beginning", "false");
  const std::string action = options.choice("file_completed_action", kActions, "delete");
  (void)options.text("file_completed_log_path");
  if (read) {
    const bool deletes = action != "log";
    options.warning("mode", deletes
                                ? "files that were read are not deleted; each line of them is read once all the same"
                                : "file_completed_log_path is not written; a file is followed after its end too");
  }
  if (options.boolean("exit_after_read", false))
    options.warning("exit_after_read", "without effect; enclave run --once ends when all is read");
}

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  Settings settings;
  settings.ecs = reads_ecs(options, world);
  settings.config.kind = Node::Kind::map;
  settings.config.place = options.place();
  add(settings.config, "type", "file");
  read_paths(options, settings.config);
  read_times(options, settings.config);
  read_mode(options, settings.config);
  const std::string delimiter = options.text("delimiter", "\n");
  if (delimiter != "\n" && delimiter != "\\n" && delimiter != "\r\n" && delimiter != "\\r\\n")
    options.mistake("delimiter", "only lines that end in a line feed are read");
  if (options.has("max_open_files"))
    add(settings.config, "open_files_max", std::to_string(options.number("max_open_files", 512, 1, 1'000'000)));
  settings.sincedb_path = options.text("sincedb_path");
  if (settings.sincedb_path == "/dev/null" || settings.sincedb_path == "NUL") {
    options.warning("sincedb_path", "positions are kept all the same: no line is read twice");
    settings.sincedb_path.clear();
  }
  accept_silently(options, {"file_chunk_count", "file_chunk_size", "file_sort_by", "file_sort_direction",
                            "check_archive_validity"});
  Diagnostics found;
  plugin_file.check(settings.config, found);
  for (const auto& entry : found.entries())
    if (!options.failed() && entry.severity == Diagnostics::Severity::error) options.mistake("path", entry.text);
  if (options.failed()) return nullptr;
  return std::make_unique<File>(std::move(settings), host_name(world.files));
}

}  // namespace

extern const SourcePlugin source_file;
const SourcePlugin source_file = {"file", "Lines of files that grow, through every rotation.", "plain", make};

}  // namespace enclave::pipeline
