#include "pipeline/filebeat/plain_lines.h"

#include <optional>

#include "pipeline/charset.h"
#include "pipeline/filebeat/container_line.h"
#include "pipeline/filebeat/dressing_detail.h"
#include "pipeline/multiline.h"

namespace enclave::pipeline::filebeat {

struct LineOpener::State {
  explicit State(const Input& input)
      : container(container_of(input)), message_key(decodes_first(input) ? json_of(input)->message_key : "") {
    auto named = Charset::named(std::string(iconv_name(encoding_of(input))));
    if (named && !named->keeps()) charset = std::move(*named);
  }

  /// False: the line is of another stream.
  bool open(event::Event& event, event::Batch& batch) {
    arena.clear();
    if (charset) event.raw = batch.store(charset->text(event.raw, arena));
    if (!message_key.empty()) decode(event, batch);
    if (container == nullptr) return true;
    ContainerLine line;
    // What is none is left as it stands.
    if (!read_container_lines(event.raw, container->format, json, arena, line)) return true;
    if (container->stream != "all" && container->stream != line.stream) return false;
    event.raw = batch.store(line.text);
    event.fields =
        batch.store(fmt::format("\"stream\":\"{}\",\"ns\":{}{}{}", line.stream == "stderr" ? "stderr" : "stdout",
                                line.wall_ns, line.goes_on && container->combine_partials ? "," : "",
                                line.goes_on && container->combine_partials ? kGoesOn : ""));
    return true;
  }

  /// What is no such object is left as it stands, and complained of later.
  void decode(event::Event& event, event::Batch& batch) {
    const auto read = json.read(event.raw, arena);
    const event::Value* const text = read && read->is(event::Kind::map) ? read->find(message_key) : nullptr;
    if (text == nullptr || !text->is(event::Kind::text)) return;
    event.fields = batch.store(fmt::format("\"{}\":{}", kDecodedField, event.raw));
    event.raw = batch.store(text->text());
  }

  const ContainerOptions* container;
  const std::string message_key;  ///< of JSON that is decoded here; empty: none is
  std::optional<Charset> charset;
  event::Arena arena;
  event::JsonReader json;
};

LineOpener::LineOpener(const Input& input) : state_(std::make_unique<State>(input)) {}
LineOpener::~LineOpener() = default;

void LineOpener::open(event::Batch& batch, std::size_t from) {
  std::size_t kept = from;
  for (std::size_t i = from; i < batch.events.size(); ++i) {
    event::Event& event = batch.events[i];
    if (state_->open(event, batch)) {
      batch.events[kept++] = event;
    } else {
      --batch.sources[event.source].count;
    }
  }
  batch.events.resize(kept);
}

namespace {

class OpenedLines final : public pipeline::Input {
 public:
  OpenedLines(std::unique_ptr<pipeline::Input> inner, const filebeat::Input& input)
      : inner_(std::move(inner)), opener_(input) {}

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    const std::size_t before = batch.events.size();
    const auto polled = inner_->poll(batch, budget);
    opener_.open(batch, before);
    return polled;
  }
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override {
    const std::size_t before = batch.events.size();
    const auto polled = inner_->finish(batch, budget);
    opener_.open(batch, before);
    return polled;
  }
  void blocked() override { inner_->blocked(); }
  void committed(const event::Batch& batch) override { inner_->committed(batch); }
  std::vector<int> descriptors() const override { return inner_->descriptors(); }
  std::int64_t next_poll_boot_ns() const override { return inner_->next_poll_boot_ns(); }

 private:
  std::unique_ptr<pipeline::Input> inner_;
  LineOpener opener_;
};

}  // namespace

bool is_opened_first(const Input& input) {
  return multiline_of(input) != nullptr &&
         (container_of(input) != nullptr || decodes_first(input) || iconv_name(encoding_of(input)) != "UTF-8");
}

std::unique_ptr<pipeline::Input> opened_lines(std::unique_ptr<pipeline::Input> inner, const Input& input) {
  return std::make_unique<OpenedLines>(std::move(inner), input);
}

}  // namespace enclave::pipeline::filebeat
