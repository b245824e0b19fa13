#include <map>
#include <set>

#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

/// Whether something stands there: when it was wrong, that was told already.
bool says(const Node& node, std::string_view path) {
  const Node* found = find_path(node, path);
  return found != nullptr &&
         (found->kind == Node::Kind::list ? !found->items.empty() : found->kind != Node::Kind::null);
}

class Checker {
 public:
  explicit Checker(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void input(const Input& input) {
    if (input.is_log()) log(input);
    if (input.type == "filestream") filestream(input);
    if (input.type == "filestream") parsers(input, input.filestream.parsers);
    if (input.type == "journald") parsers(input, input.journald.parsers);
    if (input.is_network()) network(input);
    for (const auto& path : input.paths()) absolute(input, path);
  }

  /// One id for two filestream inputs mixes up their positions; one path in two inputs reads it twice.
  void together(const std::vector<Input>& inputs, std::size_t first) {
    std::map<std::string, const Input*> ids;
    std::map<std::string, const Input*> paths;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Input& input = inputs[i];
      const bool told = i < first;
      if (!input.enabled) continue;
      if (input.type == "filestream" && !input.id.empty()) {
        const auto [at, added] = ids.emplace(input.id, &input);
        if (!added && !told)
          error(place_of(input.node, "id"),
                fmt::format("id: {} is the id of the filestream input on line {} too; give each its own", input.id,
                            at->second->place.line));
      }
      std::set<std::string> own;
      for (const auto& path : input.paths()) {
        if (!own.insert(path).second && !told)
          warn(place_of(input.node, "paths"), fmt::format("paths: {} stands here twice", path));
        const auto [at, added] = paths.emplace(path, &input);
        if (!added && at->second != &input && !told)
          warn(place_of(input.node, "paths"),
               fmt::format("paths: the input on line {} reads {} too, so each line would be sent twice",
                           at->second->place.line, path));
      }
    }
  }

  void output(const Config& config) {
    const auto& kind = config.output;
    if (kind == "file" && config.file.path.empty()) error(config.output_place, "output.file needs a path");
    if (kind == "elasticsearch" && !config.elasticsearch.api_key.empty() && !config.elasticsearch.username.empty())
      error(config.output_place, "output.elasticsearch has both api_key and username; one of the two must go");
    for (const auto& [name, tls] :
         {std::pair{"logstash", &config.logstash.ssl}, std::pair{"elasticsearch", &config.elasticsearch.ssl}}) {
      if (kind != name || !tls->present || !tls->enabled) continue;
      if (tls->certificate.empty() != tls->key.empty())
        error(config.output_place, fmt::format("output.{}: ssl.certificate and ssl.key go together", name));
      if (tls->verification_mode == "none")
        warn(config.output_place, fmt::format("output.{}: ssl.verification_mode: none lets anybody stand in for the "
                                              "server; name its authority in ssl.certificate_authorities",
                                              name));
    }
  }

 private:
  void error(const Place& place, std::string text) { diagnostics_.error(place, std::move(text)); }
  void warn(const Place& place, std::string text) { diagnostics_.warning(place, std::move(text)); }

  void absolute(const Input& input, const std::string& path) {
    if (path.empty() || path[0] == '/') return;
    warn(place_of(input.node, "paths"),
         fmt::format("paths: {} is not absolute: it depends on the folder from which the program starts", path));
  }

  void log(const Input& input) {
    const LogOptions& log = input.log;
    const Node& node = input.node;
    if ((input.type == "log" || input.type == "container") && log.paths.empty() && !says(node, "paths"))
      error(place_of(node, "paths"), fmt::format("the {} input has no paths", input.type));
    if (input.type == "docker" && input.container.ids.empty())
      error(place_of(node, "containers"), "the docker input needs containers.ids, such as ['*']");
    if (log.clean_inactive > Nanoseconds(0) && log.ignore_older == Nanoseconds(0)) {
      error(place_of(node, "clean_inactive"), "clean_inactive needs ignore_older");
    } else if (log.clean_inactive > Nanoseconds(0) && log.clean_inactive <= log.ignore_older + log.scan_frequency) {
      error(place_of(node, "clean_inactive"),
            fmt::format("clean_inactive: {} is not more than ignore_older + scan_frequency, {}: files that are still "
                        "read would be forgotten, and read again",
                        format_go_duration(log.clean_inactive),
                        format_go_duration(log.ignore_older + log.scan_frequency)));
    }
    if (log.ignore_older > Nanoseconds(0) && log.ignore_older <= log.close_inactive)
      warn(place_of(node, "ignore_older"),
           fmt::format("ignore_older: {} is not more than close_inactive, {}", format_go_duration(log.ignore_older),
                       format_go_duration(log.close_inactive)));
    if (log.scan_frequency == Nanoseconds(0)) error(place_of(node, "scan_frequency"), "scan_frequency: at least 1s");
    if (log.max_backoff < log.backoff) error(place_of(node, "max_backoff"), "max_backoff is less than backoff");
    if (!log.close_removed && log.clean_removed)
      warn(
          place_of(node, "close_removed"),
          "close_removed: false with clean_removed: true: the position of a file that is gone is forgotten while it is "
          "still read; set clean_removed to false too");
    if (log.close_timeout > Nanoseconds(0))
      warn(place_of(node, "close_timeout"), "close_timeout may lose lines of a file that is removed after it");
    if (log.has_multiline) multiline(log.multiline, place_of(node, "multiline"));
    if (!log.has_json || !log.json.message_key.empty()) return;
    if (log.has_multiline) error(place_of(node, "json"), "json with multiline needs json.message_key");
    if (!log.include_lines.empty() || !log.exclude_lines.empty())
      error(place_of(node, "json"), "json with include_lines or exclude_lines needs json.message_key");
  }

  void multiline(const Multiline& multi, const Place& place) {
    if (multi.type == "count") {
      if (multi.count_lines == 0) error(place, "multiline of type count needs count_lines");
      return;
    }
    if (multi.pattern.empty()) error(place, "multiline has no pattern, such as pattern: '^[0-9]'");
    if (multi.type == "pattern" && multi.match.empty()) error(place, "multiline needs match: after or before");
  }

  void filestream(const Input& input) {
    const FilestreamOptions& file = input.filestream;
    const Node& node = input.node;
    if (file.paths.empty() && !says(node, "paths")) error(place_of(node, "paths"), "the filestream input has no paths");
    if (input.id.empty())
      warn(input.place, "this filestream input has no id; give each a unique one, or positions are mixed up");
    const bool takes = !file.take_over.is_null() && file.take_over.data != Value{false}.data;
    if (takes && input.id.empty()) error(place_of(node, "take_over"), "take_over needs an id");
    if (file.clean_inactive > Nanoseconds(0) && file.clean_inactive <= file.ignore_older + file.check_interval)
      error(place_of(node, "clean_inactive"),
            fmt::format("clean_inactive: {} is not more than ignore_older + prospector.scanner.check_interval, {}",
                        format_go_duration(file.clean_inactive),
                        format_go_duration(file.ignore_older + file.check_interval)));
    if (file.ignore_older > Nanoseconds(0) && file.ignore_older <= file.close_inactive)
      warn(place_of(node, "ignore_older"),
           fmt::format("ignore_older: {} is not more than close.on_state_change.inactive, {}",
                       format_go_duration(file.ignore_older), format_go_duration(file.close_inactive)));
    const bool by_path = file.file_identity.find("path") != nullptr;
    if (by_path && file.close_renamed)
      error(place_of(node, "close.on_state_change.renamed"),
            "close.on_state_change.renamed cannot work with file_identity.path: a renamed file is another file then");
  }

  void parsers(const Input& input, const std::vector<Parser>& all) {
    (void)input;
    for (const auto& parser : all)
      if (parser.kind == "multiline") multiline(parser.multiline, parser.place);
  }

  void network(const Input& input) {
    const NetworkOptions& net = input.network;
    const std::string& kind = input.type == "syslog" ? net.protocol : input.type;
    if (kind == "unix" && net.path.empty()) error(input.place, "a unix input needs a path");
    if (kind != "unix" && !kind.empty() && net.host.empty())
      error(input.place, fmt::format("the {} input needs a host, such as host: \"0.0.0.0:5140\"", input.type));
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void check_inputs(const std::vector<Input>& inputs, std::size_t first, Diagnostics& diagnostics) {
  Checker checker(diagnostics);
  for (std::size_t i = first; i < inputs.size(); ++i)
    if (inputs[i].enabled) checker.input(inputs[i]);
  checker.together(inputs, first);
}

void check(const Config& config, Diagnostics& diagnostics) {
  Checker checker(diagnostics);
  for (const auto& input : config.inputs)
    if (input.enabled) checker.input(input);
  checker.together(config.inputs, 0);
  checker.output(config);
}

}  // namespace enclave::pipeline::filebeat
