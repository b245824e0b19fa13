// uses: pipeline io event base
// What inputs receive, through each codec that reads; the first byte chooses. Nothing is lost, and what comes out can
// be written again by all of them.
#include "io/system.h"
#include "pipeline/codec.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"

namespace {
using namespace enclave;
using namespace enclave::pipeline;

const logstash::Timezone* no_zone(std::string_view /*name*/) { return nullptr; }

/// Every codec that needs no options, with and without another character set.
struct Bench {
  Bench() {
    std::string text = "output {\n";
    for (const auto* codec :
         {"plain", "line", "json", "json_lines", "cef", "cef { delimiter => '|' ecs_compatibility => disabled }",
          "line { charset => 'UTF-16' }", "json { target => '[a][b]' }", "plain { charset => 'Windows-1252' }",
          "rubydebug", "cef { fields => ['message', '[source][ip]'] }"})
      text += std::string("x { codec => ") + codec + " }\n";
    parse_config(text + "}\n", "x.conf", {}, configuration, diagnostics);
    for (const auto& item : configuration.outputs) {
      logstash::PluginOptions options(configuration, std::get<logstash::Plugin>(item), diagnostics);
      choices.emplace_back(options, "plain", world);
      ENSURE(static_cast<bool>(choices.back()));
      codecs.push_back(choices.back().make());
    }
  }
  logstash::ZoneLookup zones = no_zone;
  FilterWorld world{io::real_files(), zones};
  logstash::Configuration configuration;
  Diagnostics diagnostics;
  std::vector<CodecChoice> choices;
  std::vector<std::unique_ptr<Codec>> codecs;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Bench bench;
  if (size == 0) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  event::Arena arena;
  FilterRun run{.now_ns = 1'795'462'496'123'456'789};
  std::vector<event::Document> events;
  bench.codecs[data[0] % bench.codecs.size()]->decode(payload, arena, run, events);
  std::string out;
  for (const auto& event : events)
    for (const auto& codec : bench.codecs) {
      out.clear();
      codec->encode(event, run, out);
    }
  return 0;
}
