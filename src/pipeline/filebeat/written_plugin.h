#pragma once

#include <memory>
#include <string>

#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline::filebeat {

/// A plugin of Logstash's that does what Filebeat's file asks for, made from the text of its options. What it gives
/// must not outlive this.
class WrittenPlugin {
 public:
  /// `section` is "input" or "output".
  WrittenPlugin(std::string_view section, const std::string& name, const std::string& options) {
    const std::string text = fmt::format("{} {{ {} {{ {} }} }}", section, name, options);
    parse_config(text, name, {.support_escapes = true}, configuration_, diagnostics_);
    const auto& all = section == "output" ? configuration_.outputs : configuration_.inputs;
    if (!all.empty()) plugin_ = std::get_if<logstash::Plugin>(&all[0]);
  }
  /// `cards` are those of inputs or outputs. Null after a mistake, which is told at `place`.
  template <class Cards>
  auto make(const Cards& cards, const FilterWorld& world, const Place& place, Diagnostics& diagnostics)
      -> decltype(cards[0]->make(std::declval<logstash::PluginOptions&>(), world)) {
    for (const auto* card : cards) {
      if (plugin_ == nullptr || card->name != plugin_->name) continue;
      logstash::PluginOptions options(configuration_, *plugin_, diagnostics_);
      auto made = card->make(options, world);
      for (const auto& entry : diagnostics_.entries())
        if (entry.severity == Diagnostics::Severity::error) diagnostics.error(place, entry.text);
      if (made == nullptr && !diagnostics_.has_errors()) diagnostics.error(place, "it cannot be made");
      return made;
    }
    diagnostics.error(place, plugin_ == nullptr ? diagnostics_.text() : plugin_->name + " is not yet offered");
    return nullptr;
  }

 private:
  logstash::Configuration configuration_;
  Diagnostics diagnostics_;
  const logstash::Plugin* plugin_ = nullptr;
};

/// Quoted, with the escapes that `support_escapes` takes back.
inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace enclave::pipeline::filebeat
