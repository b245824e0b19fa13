#include "pipeline/filebeat/flow_source.h"

#include <algorithm>

#include "pipeline/file_state.h"
#include "pipeline/filebeat/container_line.h"
#include "pipeline/filebeat/dressing_detail.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/journal_shape.h"
#include "pipeline/filebeat/written_plugin.h"
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

/// Lines of container engines made plain before they are put together by a rule that looks at what was logged.
class UnwrappedInput final : public pipeline::Input {
 public:
  UnwrappedInput(std::unique_ptr<pipeline::Input> inner, std::string format)
      : inner_(std::move(inner)), format_(std::move(format)) {}

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    const std::size_t before = batch.events.size();
    const auto polled = inner_->poll(batch, budget);
    unwrap(batch, before);
    return polled;
  }
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override {
    const std::size_t before = batch.events.size();
    const auto polled = inner_->finish(batch, budget);
    unwrap(batch, before);
    return polled;
  }
  void blocked() override { inner_->blocked(); }
  void committed(const event::Batch& batch) override { inner_->committed(batch); }
  std::vector<int> descriptors() const override { return inner_->descriptors(); }
  std::int64_t next_poll_boot_ns() const override { return inner_->next_poll_boot_ns(); }

 private:
  void unwrap(event::Batch& batch, std::size_t from) {
    for (std::size_t i = from; i < batch.events.size(); ++i) {
      event::Event& event = batch.events[i];
      ContainerLine line;
      arena_.clear();
      if (!read_container_lines(event.raw, format_, json_, arena_, line)) continue;
      event.raw = batch.store(line.text);
      event.fields = batch.store(
          fmt::format("\"stream\":\"{}\",\"ns\":{}", line.stream == "stderr" ? "stderr" : "stdout", line.wall_ns));
    }
  }

  std::unique_ptr<pipeline::Input> inner_;
  const std::string format_;
  Arena arena_;
  event::JsonReader json_;
};

class FilebeatSource final : public Source {
 public:
  FilebeatSource(const Config& config, const Input& input, Node node)
      : generation_(config.generation),
        joined_(multiline_of(input) != nullptr),
        container_(container_of(input) != nullptr),
        format_(container_ ? container_of(input)->format : ""),
        node_(std::move(node)) {}

  /// `inner` was made from `written`.
  void use(std::unique_ptr<WrittenPlugin> written, std::unique_ptr<Source> inner) {
    written_ = std::move(written);
    inner_ = std::move(inner);
  }
  bool use(std::string_view plugin) {
    for (const InputPlugin* card : input_plugins())
      if (card->name == plugin) card_ = card;
    return card_ != nullptr;
  }

  Result<std::unique_ptr<pipeline::Input>> open(const SourceSetup& setup) override {
    if (inner_ != nullptr) return inner_->open(setup);
    auto opened = TRY(card_->open({node_, setup.world, setup.positions, setup.log}));
    if (!joined_ || !container_) return opened;
    return std::unique_ptr<pipeline::Input>(std::make_unique<UnwrappedInput>(std::move(opened), format_));
  }

  void make(const event::Batch& batch, const event::Event& from, Arena& arena, Codec& /*codec*/, FilterRun& run,
            std::vector<Document>& into) const override {
    Document& event = into.emplace_back(arena);
    event.root().append_member(arena, event::kTimeField, event::Value::time(batch.wall_ns));
    if (card_ != nullptr && card_->name == "journald") shape_journal(from, run, event);
    describe(batch, from, event);
    event.root().append_member(arena, event::kMessageField, event::Value::of(from.raw));
    if (joined_ && container_) take_unwrapped(from, run, event);
  }

  void describe(const event::Batch& batch, const event::Event& from, Document& into) const override {
    if (inner_ != nullptr) return describe_peer(batch, from, into);
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
  static void take_unwrapped(const event::Event& from, FilterRun& run, Document& event) {
    if (from.fields.empty()) return;
    run.scratch.assign("{").append(from.fields).append("}");
    const auto known = run.json.read(run.scratch, event.arena());
    if (!known) return;
    if (const auto* stream = known->find("stream")) event.set("stream", *stream);
    if (const auto* ns = known->find("ns")) event.set_wall_ns(ns->integer());
  }

  void describe_peer(const event::Batch& batch, const event::Event& from, Document& into) const {
    Document told(into.arena());
    inner_->describe(batch, from, told);
    const auto* host = told.find("host");
    if (host == nullptr || !host->is(event::Kind::text)) return;
    std::string address(host->text());
    if (const auto* port = told.find("port"); port != nullptr && port->is(event::Kind::integer))
      address = fmt::format("{}{}{}:{}", address.find(':') == std::string::npos ? "" : "[", address,
                            address.find(':') == std::string::npos ? "" : "]", port->integer());
    const event::Value value = event::Value::of(into.arena().store(address));
    put_key(into.arena(), into.root(), generation_ == 6 ? "source" : "log.source.address", value);
  }

  const int generation_;
  const bool joined_, container_;
  const std::string format_;
  const Node node_;
  const InputPlugin* card_ = nullptr;
  std::unique_ptr<WrittenPlugin> written_;
  std::unique_ptr<Source> inner_;
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

std::string options_of(const Input& input, Diagnostics& diagnostics) {
  const NetworkOptions& net = input.network;
  if (input.type == "unix") return fmt::format("path => {} force_unlink => true", quoted(net.path));
  const std::size_t colon = net.host.rfind(':');
  if (colon == std::string::npos) {
    diagnostics.error(place_of(input.node, "host"), "host: an address and a port are wanted, such as 0.0.0.0:9000");
    return "";
  }
  std::string host = net.host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string out = fmt::format("port => {} ecs_compatibility => disabled", quoted(net.host.substr(colon + 1)));
  if (!host.empty()) out += fmt::format(" host => {}", quoted(host));
  if (input.type == "udp")
    out += fmt::format(" buffer_size => {}", std::min<std::uint64_t>(net.max_message_size, 65'536));
  if (net.framing != "delimiter" || net.line_delimiter != "\n")
    diagnostics.error(input.place, "only lines that end in a line feed are read");
  const auto* ssl = net.ssl.map();
  if (ssl == nullptr) return out;
  const auto text = [&](std::string_view name) {
    const Value* found = net.ssl.find(name);
    if (found != nullptr && found->list() != nullptr && !found->list()->empty()) found = &found->list()->front();
    return found != nullptr && found->text() != nullptr ? *found->text() : std::string();
  };
  if (const Value* on = net.ssl.find("enabled"); on != nullptr && on->data == Value{false}.data) return out;
  out += fmt::format(" ssl_enabled => true ssl_certificate => {} ssl_key => {}", quoted(text("certificate")),
                     quoted(text("key")));
  if (const std::string ca = text("certificate_authorities"); !ca.empty()) {
    const std::string wanted = text("client_authentication");
    out += fmt::format(" ssl_certificate_authorities => [{}] ssl_client_authentication => {}", quoted(ca),
                       quoted(wanted.empty() ? "required" : wanted));
  }
  return out;
}

}  // namespace

std::unique_ptr<Source> make_source(const Config& config, const Input& input, const FilterWorld& world,
                                    Diagnostics& diagnostics) {
  if (input.type == "syslog") {
    diagnostics.error(input.place, "the input syslog is not yet offered; a Logstash file's syslog input is");
    return nullptr;
  }
  if (input.is_network()) {
    const std::string options = options_of(input, diagnostics);
    if (options.empty()) return nullptr;
    auto written = std::make_unique<WrittenPlugin>("input", input.type, options);
    auto inner = written->make(source_plugins(), world, input.place, diagnostics);
    if (inner == nullptr) return nullptr;
    auto out = std::make_unique<FilebeatSource>(config, input, Node{});
    out->use(std::move(written), std::move(inner));
    return out;
  }
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
  return rule;
}

}  // namespace enclave::pipeline::filebeat
