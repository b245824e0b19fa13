#include "pipeline/flow/enclave_source.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// The path in "file:/var/log/a.log@1f3a9c02"; empty for other sources.
std::string_view path_of(std::string_view source) {
  constexpr std::string_view kFile = "file:";
  if (!source.starts_with(kFile)) return {};
  source.remove_prefix(kFile.size());
  return source.substr(0, source.rfind('@'));
}

Value nested(event::Arena& arena, std::initializer_list<std::string_view> names, Value value) {
  for (auto name = names.end(); name != names.begin();) {
    const Value map = Value::map(arena, 2);
    map.set(arena, *--name, value);
    value = map;
  }
  return value;
}

class EnclaveSource final : public Source {
 public:
  EnclaveSource(const InputPlugin& plugin, const Node& config, std::string host)
      : plugin_(plugin), config_(config), host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return plugin_.open({config_, setup.world, setup.positions, setup.log});
  }

  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& /*codec*/, FilterRun& run,
            std::vector<event::Document>& into) const override {
    event::Document& event = into.emplace_back(arena, root_of(from, arena, run));
    event.set_wall_ns(batch.wall_ns);
    event.set(event::kVersionField, Value::of(std::string_view("1")));
    event.set(event::kMessageField, Value::of(from.raw));
    describe(batch, from, event);
  }

  void describe(const event::Batch& batch, const event::Event& from, event::Document& into) const override {
    into.set("host", nested(into.arena(), {"name"}, Value::of(std::string_view(host_))));
    if (const auto path = path_of(batch.sources[from.source].source); !path.empty())
      into.set("log", nested(into.arena(), {"file", "path"}, Value::of(path)));
  }

 private:
  /// What the input knows besides, such as the journal's fields.
  static Value root_of(const event::Event& from, event::Arena& arena, FilterRun& run) {
    if (from.fields.empty()) return Value::map(arena, 16);
    run.scratch.assign("{").append(from.fields).append("}");
    const auto read = run.json.read(run.scratch, arena);
    return read ? *read : Value::map(arena, 16);
  }

  const InputPlugin& plugin_;
  const Node& config_;
  const std::string host_;
};

}  // namespace

std::unique_ptr<Source> make_enclave_source(const InputPlugin& plugin, const Node& config, std::string host) {
  return std::make_unique<EnclaveSource>(plugin, config, std::move(host));
}

}  // namespace enclave::pipeline
