#include "pipeline/filebeat/flow_source.h"

#include <algorithm>

#include "pipeline/file_state.h"
#include "pipeline/filebeat/container_line.h"
#include "pipeline/filebeat/dressing_detail.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/journal_shape.h"
#include "pipeline/filebeat/network_source.h"
#include "pipeline/filebeat/plain_lines.h"
#include "pipeline/line_joiner.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Document;

/// Without a copy, as names of sources are, but for unusual paths. Empty when it is no file.
std::string_view path_of(std::string_view source, Arena& arena) {
  constexpr std::string_view kFile = "file:";
  const std::size_t at = source.rfind('@');
  if (!source.starts_with(kFile) || at == std::string_view::npos) return {};
  if (source.find('%') == std::string_view::npos) return source.substr(kFile.size(), at - kFile.size());
  const auto path = path_of_source(source);
  return path ? arena.store(*path) : source;
}

/// What tells the contents of one path apart, for as long as they are followed.
std::string_view number_of(std::string_view source) { return source.substr(source.rfind('@') + 1); }

class FilebeatSource final : public Source {
 public:
  FilebeatSource(const Config& config, const Input& input, Node node)
      : input_(input),
        generation_(config.generation),
        joined_(multiline_of(input) != nullptr),
        opened_(is_opened_first(input)),
        node_(std::move(node)) {}

  bool use(std::string_view plugin) {
    for (const InputPlugin* card : input_plugins())
      if (card->name == plugin) card_ = card;
    return card_ != nullptr;
  }

  Result<std::unique_ptr<pipeline::Input>> open(const SourceSetup& setup) override {
    auto opened = TRY(card_->open({node_, setup.world, setup.positions, setup.log}));
    if (!opened_) return opened;
    return opened_lines(std::move(opened), input_);
  }

  void make(const event::Batch& batch, const event::Event& from, Arena& arena, Codec& /*codec*/, FilterRun& run,
            std::vector<Document>& into) const override {
    Document& event = into.emplace_back(arena);
    event.root().append_member(arena, event::kTimeField, event::Value::time(batch.wall_ns));
    if (card_ != nullptr && card_->name == "journald") shape_journal(from, run, event);
    describe(batch, from, event);
    event.root().append_member(arena, event::kMessageField, event::Value::of(from.raw));
    if (opened_) take_opened(from, run, event);
  }

  void describe(const event::Batch& batch, const event::Event& from, Document& into) const override {
    const std::string_view path = path_of(batch.sources[from.source].source, into.arena());
    if (path.empty() && !from.position.empty()) return;
    Arena& arena = into.arena();
    const auto offset = event::Value::of(static_cast<std::int64_t>(from.offset));
    const bool several = joined_ && LineJoiner::is_joined(from);
    if (generation_ == 6) {
      into.root().append_member(arena, "source", event::Value::of(path));
      into.root().append_member(arena, "offset", offset);
    }
    if (generation_ == 6 && from.cut_bytes == 0 && !several) return;
    const event::Value log = event::Value::map(arena, 3);
    if (generation_ > 6) {
      log.append_member(arena, "offset", offset);
      const event::Value file = event::Value::map(arena, 2);
      file.append_member(arena, "path", event::Value::of(path));
      // Filebeat's is of the first bytes. Ours stays when the content is moved, and tells files of one name apart.
      if (generation_ > 7)
        file.append_member(arena, "fingerprint", event::Value::of(number_of(batch.sources[from.source].source)));
      log.append_member(arena, "file", file);
    }
    if (from.cut_bytes > 0 || several) {
      const event::Value flags = event::Value::list(arena, 2);
      if (several) flags.append(arena, event::Value::of(std::string_view("multiline")));
      if (from.cut_bytes > 0) flags.append(arena, event::Value::of(std::string_view("truncated")));
      log.append_member(arena, "flags", flags);
    }
    into.root().append_member(arena, "log", log);
  }

  bool alike(const Codec& /*codec*/) const override { return card_ != nullptr && card_->name == "file" && !joined_; }

 private:
  static void take_opened(const event::Event& from, FilterRun& run, Document& event) {
    if (from.fields.empty()) return;
    run.scratch.assign("{").append(from.fields).append("}");
    const auto known = run.json.read(run.scratch, event.arena());
    if (!known) return;
    if (const auto* decoded = known->find(kDecodedField)) event.set(kDecodedField, *decoded);
    if (const auto* stream = known->find("stream")) event.set("stream", *stream);
    if (const auto* ns = known->find("ns")) event.set_wall_ns(ns->integer());
  }

  const Input& input_;
  const int generation_;
  const bool joined_, opened_;
  const Node node_;
  const InputPlugin* card_ = nullptr;
};

/// As our file input takes it. What it cannot do is done by the dressing, or was said by check_dressing().
Node node_of(const Input& input, Diagnostics& diagnostics) {
  Input plain = input;
  if (container_of(input) != nullptr && input.is_log()) plain.type = "log";
  if (input.type == "docker") {
    plain.log.paths.clear();
    for (const auto& id : input.container.ids)
      plain.log.paths.push_back(fmt::format("{}/{}/*.log", input.container.path, id));
  }
  Diagnostics told;
  Node node = to_enclave_input(plain, told);
  for (const auto& entry : told.entries())
    if (entry.severity == Diagnostics::Severity::error || entry.text.find("16 MiB") != std::string::npos)
      diagnostics.warning(entry.place, entry.text);
  return node;
}

}  // namespace

std::unique_ptr<Source> make_source(const Config& config, const Input& input, const FilterWorld& world,
                                    Diagnostics& diagnostics) {
  if (input.is_network()) return make_network_source(config, input, world, diagnostics);
  Node node = node_of(input, diagnostics);
  const Node* type = node.find("type");
  auto out = std::make_unique<FilebeatSource>(config, input, node);
  if (type == nullptr || !out->use(type->scalar)) {
    diagnostics.error(input.place, fmt::format("the input {} is not yet offered", input.type));
    return nullptr;
  }
  for (const InputPlugin* card : input_plugins())
    if (card->name == type->scalar) card->check(node, diagnostics);
  return out;
}

std::optional<MultilineRule> multiline_rule(const Input& input) {
  const Multiline* wanted = multiline_of(input);
  if (wanted == nullptr) {
    if (container_of(input) == nullptr || !input.container.combine_partials) return std::nullopt;
    return rule_of_partial_lines();
  }
  MultilineRule rule;
  rule.kind = wanted->type == "count"           ? MultilineRule::Kind::count
              : wanted->type == "while_pattern" ? MultilineRule::Kind::while_pattern
                                                : MultilineRule::Kind::pattern;
  rule.pattern = wanted->pattern;
  rule.negate = wanted->negate;
  rule.after = wanted->match != "before";
  rule.flush_pattern = wanted->flush_pattern;
  rule.count_lines = static_cast<std::uint64_t>(std::max<std::int64_t>(wanted->count_lines, 0));
  rule.lines_max = static_cast<std::uint64_t>(std::max<std::int64_t>(wanted->max_lines, 1));
  rule.bytes_max = input.type == "filestream" ? input.filestream.message_max_bytes : input.log.max_bytes;
  rule.timeout = wanted->timeout;
  rule.skip_newline = wanted->skip_newline;
  rule.parts = container_of(input) != nullptr && container_of(input)->combine_partials;
  return rule;
}

}  // namespace enclave::pipeline::filebeat
