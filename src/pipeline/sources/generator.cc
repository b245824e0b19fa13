#include <limits>

#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Gives the same lines again and again. They live in the source, which outlives the batches.
class GeneratorInput final : public Input {
 public:
  GeneratorInput(const std::vector<std::string>& lines, std::uint64_t rounds, World world)
      : lines_(lines), rounds_(rounds), world_(world), source_(name_once("generator", world.random)) {}

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    std::size_t bytes = 0;
    while (!ended() && bytes < budget) {
      const std::string& line = lines_[given_ % lines_.size()];
      const std::uint32_t source = batch.source(source_, std::to_string(given_));
      event::Event& event = batch.events.emplace_back();
      event.raw = line;
      event.offset = given_ / lines_.size();
      event.source = source;
      event.eol = event::Eol::none;
      ++given_;
      ++batch.sources[source].count;
      bytes += line.size() + sizeof(event::Event);
    }
    if (!batch.sources.empty()) batch.sources[0].to = std::to_string(given_);
    return ended() ? Polled::end : Polled::more;
  }
  Result<Polled> finish(event::Batch& /*batch*/, std::size_t /*budget*/) override { return Polled::end; }
  void committed(const event::Batch& /*batch*/) override {}
  std::vector<int> descriptors() const override { return {}; }
  std::int64_t next_poll_boot_ns() const override { return world_.clock.boot_ns(); }

 private:
  bool ended() const { return rounds_ > 0 && given_ / lines_.size() >= rounds_; }

  const std::vector<std::string>& lines_;
  const std::uint64_t rounds_;  ///< 0: no end
  World world_;
  const std::string source_;
  std::uint64_t given_ = 0;
};

class Generator final : public Source {
 public:
  Generator(std::vector<std::string> lines, std::uint64_t rounds, bool ecs, std::string host)
      : lines_(std::move(lines)),
        rounds_(rounds),
        host_field_(ecs ? "[host][name]" : "host"),
        sequence_field_(ecs ? "[event][sequence]" : "sequence"),
        original_(ecs),
        host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return std::unique_ptr<Input>(std::make_unique<GeneratorInput>(lines_, rounds_, setup.world));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& from, event::Document& into) const override {
    host_field_.fill(into, Value::of(host_));
    sequence_field_.put(into, Value::of(static_cast<std::int64_t>(from.offset)));
    original_.fill(from, into);
  }

 private:
  const std::vector<std::string> lines_;
  const std::uint64_t rounds_;
  const KnownField host_field_, sequence_field_;
  const Original original_;
  const std::string host_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::int64_t kCountMost = std::numeric_limits<std::int32_t>::max(), kThreadsMost = 1000;
  const bool ecs = reads_ecs(options, world);
  auto lines = options.texts("lines");
  std::string message = options.text("message", "Hello world!");
  const std::int64_t count = options.number("count", 0, -1, kCountMost);
  // Each thread of the original gives all of it.
  const std::int64_t threads = options.number("threads", 1, 1, kThreadsMost);
  if (options.has("lines") && options.has("message"))
    options.warning("message", "without effect: lines say what is given");
  if (lines.empty() && message == "stdin")
    options.mistake("message", "a line of standard input as the message is not offered; the input stdin reads it");
  if (lines.empty()) lines.push_back(std::move(message));
  if (options.failed()) return nullptr;
  const std::uint64_t rounds = count <= 0 ? 0 : static_cast<std::uint64_t>(count * threads);
  return std::make_unique<Generator>(std::move(lines), rounds, ecs, host_name(world.files));
}

}  // namespace

extern const SourcePlugin source_generator;
const SourcePlugin source_generator = {"generator", "The same lines again and again, for tests.", "plain", make};

}  // namespace enclave::pipeline
