#include <fmt/format.h>

#include "base/files.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/ruby/machine.h"

namespace enclave::pipeline {
namespace {

using event::Value;

constexpr std::uint64_t kScriptBytesMax = 1 << 20;

/// Runs a script of the user on each event.
class Ruby final : public Filter {
 public:
  Ruby(std::unique_ptr<ruby::Machine> machine, std::string tag) : machine_(std::move(machine)), tag_(std::move(tag)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const auto done = machine_->apply(event, run);
    if (done) return true;
    event.tag(tag_);
    // Where no output writes it, and where whoever looks for the reason finds it.
    static const event::PathSegment kPath[] = {{.name = std::string(event::kMetadataField)},
                                               {.name = "ruby_exception"}};
    event.set(kPath, Value::of(event.arena().store(done.error().text())));
    return false;
  }

 private:
  std::unique_ptr<ruby::Machine> machine_;
  std::string tag_;
};

Value parameters_of(logstash::PluginOptions& options, event::Arena& arena) {
  const Value map = Value::map(arena);
  for (const auto& [name, texts] : options.hash("script_params")) {
    Value value = Value::list(arena, texts.size());
    for (const auto& text : texts) value.append(arena, Value::of(arena.store(text)));
    map.set(arena, arena.store(name), texts.size() == 1 ? value.items()[0] : value);
  }
  return map;
}

void load(logstash::PluginOptions& options, const FilterWorld& world, ruby::Machine& machine) {
  const auto init = options.text_if_set("init"), code = options.text_if_set("code"), path = options.text_if_set("path");
  event::Arena arena;
  const Value parameters = parameters_of(options, arena);
  if (code.has_value() == path.has_value())
    return options.mistake("code", code ? "path is set too; one of them is wanted"
                                        : "code or path is wanted: code => \"event.set('a', 1)\"");
  const auto note = [&](std::string_view option, const Result<void>& done) {
    if (!done) options.mistake(option, fmt::format("Ruby: {}", done.error().text()));
  };
  if (code) {
    if (init) note("init", machine.run(*init, "init"));
    return note("code", machine.set_code(*code));
  }
  const auto script = read_file(world.files, *path, kScriptBytesMax);
  if (!script) return options.mistake("path", script.error().text());
  auto done = machine.run(*script, *path);
  if (done) done = machine.set_script(parameters);
  note("path", done);
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  std::string tag = options.text("tag_on_exception", "_rubyexception");
  auto machine = ruby::Machine::make(world.zones);
  if (!machine) {
    options.mistake("code", machine.error().text());
    return nullptr;
  }
  load(options, world, **machine);
  if (options.failed()) return nullptr;
  return std::make_unique<Ruby>(std::move(*machine), std::move(tag));
}

}  // namespace

extern const FilterPlugin filter_ruby;
const FilterPlugin filter_ruby = {"ruby", "Runs Ruby code on each event.", make};

}  // namespace enclave::pipeline
