#include "pipeline/filebeat/dressing.h"

#include <algorithm>
#include <optional>

#include "pipeline/charset.h"
#include "pipeline/filebeat/container_line.h"
#include "pipeline/filebeat/dressing_detail.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/syslog_shape.h"
#include "pipeline/filebeat/zone.h"
#include "pipeline/regex.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Document;
using event::Kind;

event::Value text_of(std::string_view text) { return event::Value::of(text); }

bool any_matches(const std::vector<Regex>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const Regex& one) { return one.search(text) == Regex::Outcome::yes; });
}

std::vector<Regex> compiled(const Strings& patterns) {
  std::vector<Regex> out;
  for (const auto& pattern : patterns)
    if (auto one = Regex::compile(pattern)) out.push_back(std::move(*one));
  return out;
}

class Shape final : public Dressing {
 public:
  Shape(const Config& config, const Input& input, const Identity& identity, const FilterWorld& world)
      : input_(input),
        generation_(config.generation),
        json_(json_of(input)),
        container_(container_of(input)),
        // Events may share what nobody changes.
        shared_(config.processors.empty() && input.processors.empty()) {
    const bool stream = input.type == "filestream";
    include_ = compiled(stream ? input.filestream.include_lines : input.log.include_lines);
    exclude_ = compiled(stream ? input.filestream.exclude_lines : input.log.exclude_lines);
    exclude_files_ = compiled(excluded_files(input));
    if (stream) include_files_ = compiled(input.filestream.include_files);
    for (const auto& parser : input.filestream.parsers)
      if (parser.kind == "include_message")
        for (auto& one : compiled(parser.patterns))
          (is_early(input, parser) ? early_include_ : include_).push_back(std::move(one));
    // What a rule puts together is in UTF-8 already, and so is what was UTF-16.
    if (multiline_of(input) == nullptr) {
      if (auto charset = Charset::named(std::string(iconv_name(encoding_of(input))))) charset_ = std::move(*charset);
    }
    if (const Parser* parser = syslog_parser_of(input)) {
      syslog_ = &parser->syslog;
      syslog_first_ = stands_before(input, "syslog", "ndjson");
      zone_ = std::make_unique<Zone>(syslog_->timezone, world.files, world.zones);
    }
    make_constants(config, identity);
  }

  void dress(Document& event, FilterRun& run) override {
    Arena& arena = event.arena();
    event::Value* message = event.find(event::kMessageField);
    std::string_view text = message != nullptr && message->is(Kind::text) ? message->text() : std::string_view();
    if (is_left_out(event)) return cancel(event);
    if (charset_) text = charset_->text(text, arena);
    if (container_ != nullptr && !unwrap(event, run, text)) return;
    if (!early_include_.empty() && !any_matches(early_include_, text)) return cancel(event);
    event.set(event::kMessageField, text_of(text));
    if (syslog_ != nullptr && (syslog_first_ || json_ == nullptr)) text = read_syslog(event, run, text);
    if (json_ != nullptr) text = decode(event, run, text);
    if (syslog_ != nullptr && json_ != nullptr && !syslog_first_) {
      const event::Value* const left = event.find(event::kMessageField);
      if (left != nullptr && left->is(Kind::text)) text = read_syslog(event, run, left->text());
    }
    // Of several lines the whole is looked at, and of JSON what its message_key says, as Filebeat does it.
    if (!include_.empty() && !any_matches(include_, text)) return cancel(event);
    if (!exclude_.empty() && any_matches(exclude_, text)) return cancel(event);
    add_constants(event);
  }

  bool alike() const override {
    return json_ == nullptr && container_ == nullptr && early_include_.empty() && include_.empty() &&
           exclude_.empty() && syslog_ == nullptr && (!charset_ || charset_->keeps());
  }

 private:
  static void cancel(Document& event) { event.cancelled = true; }

  /// Whether an include_message stands before what changes the message.
  static bool is_early(const Input& input, const Parser& parser) {
    return std::ranges::any_of(input.filestream.parsers, [&](const Parser& other) {
      return &parser < &other && (other.kind == "ndjson" || other.kind == "syslog");
    });
  }

  bool is_left_out(const Document& event) const {
    if (exclude_files_.empty() && include_files_.empty()) return false;
    const auto* path = find_key(event.root(), generation_ == 6 ? "source" : "log.file.path");
    if (path == nullptr || !path->is(Kind::text)) return false;
    return any_matches(exclude_files_, path->text()) ||
           (!include_files_.empty() && !any_matches(include_files_, path->text()));
  }

  bool unwrap(Document& event, FilterRun& run, std::string_view& text) {
    ContainerLine line;
    if (event.find("stream") != nullptr) {  // unwrapped before lines were joined
      line.stream = event.find("stream")->text();
    } else if (read_container_lines(text, container_->format, run.json, event.arena(), line)) {
      text = line.text;
      if (line.wall_ns != 0) event.set_wall_ns(line.wall_ns);
      event.set("stream", text_of(line.stream));
    } else {
      return true;  // as it stands: nothing is lost
    }
    if (container_->stream == "all" || container_->stream == line.stream) return true;
    cancel(event);
    return false;
  }

  /// Gives the message.
  std::string_view read_syslog(Document& event, FilterRun& run, std::string_view text) const {
    Arena& arena = event.arena();
    const auto read = read_syslog_fields(text, syslog_->format, *zone_->get(), run.now_ns, arena);
    if (!read) {
      if (syslog_->add_error_key)
        put_key(arena, event.root(), "error.message",
                text_of(arena.store(fmt::format("Error parsing syslog message: {}", why_not_syslog(syslog_->format)))));
      return text;
    }
    merge_maps(arena, event.root(), read->fields, true);
    if (read->message.empty()) event.erase(event::kMessageField);
    if (read->wall_ns) event.set_wall_ns(*read->wall_ns);
    return read->message;
  }

  /// Gives what is the line now: the text of message_key; without one the line as it was.
  std::string_view decode(Document& event, FilterRun& run, std::string_view text) {
    Arena& arena = event.arena();
    if (const event::Value* const known = event.find(kDecodedField)) {
      const event::Value fields = *known;
      event.erase(kDecodedField);
      fields.set(arena, json_->message_key, text_of(text));
      put_decoded(event, fields, true, text);
      return text;
    }
    const auto read = run.json.read(text, arena);
    const bool object = read && read->is(Kind::map);
    const event::Value fields = object ? *read : event::Value::map(arena, 1);
    std::string_view left = object ? std::string_view() : text;
    const auto complain = [&](std::string_view why) {
      if (json_->add_error_key) fields.set(arena, "error", json_error(arena, why));
    };
    if (!object) {
      complain(fmt::format("Error decoding JSON: {}", read ? "not an object" : read.error().text()));
    } else if (!json_->message_key.empty()) {
      const event::Value* const found = fields.find(json_->message_key);
      if (found == nullptr) {
        complain(fmt::format("Key '{}' not found", json_->message_key));
      } else if (!found->is(Kind::text)) {
        complain(fmt::format("Value of key '{}' is not a string", json_->message_key));
      } else {
        left = found->text();
      }
    }
    put_decoded(event, fields, object, left);
    return json_->message_key.empty() || !object ? text : left;
  }

  void put_decoded(Document& event, event::Value fields, bool object, std::string_view left) {
    Arena& arena = event.arena();
    event.erase(event::kMessageField);
    if (!object) event.set(event::kMessageField, text_of(left));
    if (fields.members().empty()) return;
    if (!json_->document_id.empty()) take_id(event, fields);
    if (json_->expand_keys) fields = expanded_keys(arena, fields);
    const bool stream = input_.type == "filestream";
    const std::string_view target = stream ? std::string_view(json_->target) : "json";
    if (json_->keys_under_root || (stream && target.empty())) {
      write_json_keys(event, fields, json_->overwrite_keys, json_->add_error_key);
    } else {
      put_key(arena, event.root(), target, fields);
    }
    if (stream && object && !json_->message_key.empty() && !left.empty() && event.find("message") == nullptr)
      event.set("message", text_of(left));
  }

  void take_id(Document& event, const event::Value& fields) const {
    const event::Value* const id = find_key(fields, json_->document_id);
    if (id == nullptr || !id->is(Kind::text)) return;
    put_key(event.arena(), event.root(), "@metadata._id", *id);
    erase_key(fields, json_->document_id);
  }

  void make_constants(const Config& config, const Identity& identity);
  void add_tags(const Config& config);
  void add_fields(const Config& config);

  void add_constants(Document& event) {
    Arena& arena = event.arena();
    for (const event::Member& member : constants_.members()) {
      const event::Value value = shared_ ? member.value : copy_value(member.value, arena);
      event::Value* const there = event.find(member.name);
      if (there == nullptr) {
        event.root().append_member(arena, member.name, value);
      } else if (there->is(Kind::map) && value.is(Kind::map)) {
        merge_maps(arena, *there, shared_ ? copy_value(value, arena) : value, true);
      } else if (member.name == event::kTagsField) {
        for (const auto& tag : value.items()) event.tag(tag.text());
      } else {
        *there = value;
      }
    }
    if (!under_root_.empty())
      for (const auto& fields : under_root_) merge_maps(arena, event.root(), copy_value(fields, arena), true);
  }

  Arena arena_;  ///< of what all events get
  const Input& input_;
  const int generation_;
  const Json* json_;                   ///< null: none is decoded
  const ContainerOptions* container_;  ///< null: lines are no containers'
  const SyslogFormat* syslog_ = nullptr;
  bool syslog_first_ = false;   ///< before JSON is decoded
  std::unique_ptr<Zone> zone_;  ///< of syslog
  event::Value constants_ = event::Value::map(arena_);
  std::vector<event::Value> under_root_;
  const bool shared_;
  std::vector<Regex> early_include_, include_, exclude_, include_files_, exclude_files_;
  std::optional<Charset> charset_;
};

void Shape::add_tags(const Config& config) {
  const event::Value tags = event::Value::list(arena_);
  for (const auto* some : {&config.tags, &input_.tags})
    for (const auto& tag : *some) tags.append(arena_, text_of(tag));
  if (!tags.items().empty()) constants_.set(arena_, event::kTagsField, tags);
}

void Shape::add_fields(const Config& config) {
  const event::Value below = event::Value::map(arena_);
  const auto add = [&](const Value& fields, bool under_root, bool keep_null) {
    if (fields.map() == nullptr) return;
    const event::Value made = event_value(fields, arena_, keep_null);
    if (under_root) {
      under_root_.push_back(made);
    } else {
      merge_maps(arena_, below, made, true);
    }
  };
  add(config.fields, config.fields_under_root, false);
  add(input_.fields, input_.fields_under_root, input_.keep_null);
  if (!below.members().empty()) constants_.set(arena_, "fields", below);
}

void Shape::make_constants(const Config& config, const Identity& identity) {
  const auto put = [&](std::string_view key, std::string_view text) {
    put_key(arena_, constants_, key, text_of(arena_.store(text)));
  };
  const std::string& name = config.name.empty() ? identity.host_name : config.name;
  const std::string version = identity.version.empty() ? std::string(version_of(generation_)) : identity.version;
  const bool renamed = config.output == "logstash" && config.logstash.index != "filebeat";
  put("@metadata.beat", renamed ? config.logstash.index : "filebeat");
  put("@metadata.type", generation_ == 6 ? "doc" : "_doc");
  put("@metadata.version", version);
  if (!input_.pipeline.empty()) put("@metadata.pipeline", input_.pipeline);
  if (!input_.index.empty()) put("@metadata.raw_index", input_.index);
  if (generation_ == 6) {
    put("prospector.type", input_.type);
    put("input.type", input_.type);
    put("beat.name", name);
    put("beat.hostname", identity.host_name);
    put("beat.version", version);
    if (!input_.log.document_type.empty() && input_.log.document_type != "log") put("type", input_.log.document_type);
  } else {
    put("input.type", input_.type);
    put("ecs.version", generation_ == 7 ? "1.12.0" : "8.0.0");
    put("agent.type", "filebeat");
    put("agent.version", version);
    if (generation_ == 7) put("agent.hostname", identity.host_name);
    put("agent.name", name);
    if (!identity.id.empty()) put("agent.id", identity.id);
    if (!identity.ephemeral_id.empty()) put("agent.ephemeral_id", identity.ephemeral_id);
  }
  put("host.name", name);
  add_tags(config);
  add_fields(config);
}

}  // namespace

std::string_view version_of(int generation) {
  return generation == 6 ? "6.8.23" : generation == 7 ? "7.17.29" : "8.19.7";
}

std::unique_ptr<Dressing> make_dressing(const Config& config, const Input& input, const Identity& identity,
                                        const FilterWorld& world) {
  return std::make_unique<Shape>(config, input, identity, world);
}

}  // namespace enclave::pipeline::filebeat
