#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"
#include "pipeline/stdin_input.h"

namespace enclave::pipeline {
namespace {

using event::Value;

constexpr int kStandardInput = 0;
constexpr std::size_t kLineBytesMax = 10 << 20;

class Stdin final : public Source {
 public:
  Stdin(bool ecs, std::string host)
      : host_field_(ecs ? "[host][hostname]" : "host"), original_(ecs), host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return make_stream_input(kStandardInput, kLineBytesMax, setup.world, setup.log);
  }
  void describe(const event::Batch& /*batch*/, const event::Event& from, event::Document& into) const override {
    host_field_.fill(into, Value::of(host_));
    original_.fill(from, into);
  }

 private:
  const KnownField host_field_;
  const Original original_;
  const std::string host_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  const bool ecs = reads_ecs(options, world);
  if (options.failed()) return nullptr;
  return std::make_unique<Stdin>(ecs, host_name(world.files));
}

}  // namespace

extern const SourcePlugin source_stdin;
const SourcePlugin source_stdin = {"stdin", "Lines from standard input, until it ends.", "line", make};

}  // namespace enclave::pipeline
