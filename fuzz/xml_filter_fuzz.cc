// uses: pipeline io event base
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "io/system.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"

using namespace enclave;
using namespace enclave::pipeline;

namespace {

std::unique_ptr<Filter> make_filter() {
  static const logstash::ZoneLookup kZones = [](std::string_view) { return nullptr; };
  static logstash::Configuration configuration;
  Diagnostics diagnostics;
  parse_config(
      "filter { xml { source => \"s\" target => \"d\" xpath => { \"//x:b\" => \"b\" \"string(/a/@c)\" => \"c\" } "
      "namespaces => { \"x\" => \"urn:x\" } } }",
      "x.conf", {}, configuration, diagnostics);
  const auto& plugin = std::get<logstash::Plugin>(configuration.filters.at(0));
  for (const FilterPlugin* card : filter_plugins()) {
    if (card->name != "xml") continue;
    logstash::PluginOptions options(configuration, plugin, diagnostics);
    return card->make(options, {io::real_files(), kZones});
  }
  return nullptr;
}

}  // namespace

// Any text is read or refused, and what is made of it can be written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kFilter = make_filter();
  ENSURE(kFilter != nullptr);
  event::Arena arena;
  event::Document document(arena);
  document.set("s", event::Value::of(std::string_view(reinterpret_cast<const char*>(data), size)));
  FilterRun run;
  const bool done = kFilter->apply(document, run);
  ENSURE(!done || document.find("d") != nullptr);
  std::string json;
  event::append_json(document, json);
  return 0;
}
