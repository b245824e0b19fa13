#pragma once

#include <memory>
#include <string>

#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline::filebeat {

/// A plugin of Logstash's that does what Filebeat's file asks for, as the text of its options.
class WrittenPlugin {
 public:
  /// `section` is "input" or "output".
  WrittenPlugin(std::string_view section, const std::string& name, const std::string& options) {
    const std::string text = fmt::format("{} {{ {} {{ {} }} }}", section, name, options);
    parse_config(text, name, {.support_escapes = true}, configuration_, diagnostics_);
    const auto& all = section == "output" ? configuration_.outputs : configuration_.inputs;
    if (!all.empty()) plugin_ = std::get_if<logstash::Plugin>(&all[0]);
  }
  /// Gives the options to `with`, which returns what it made of them, or nothing after a mistake.
  template <class With>
  auto read(const Place& place, Diagnostics& diagnostics, With with)
      -> decltype(with(std::declval<logstash::PluginOptions&>())) {
    if (plugin_ == nullptr) {
      diagnostics.error(place, diagnostics_.text());
      return {};
    }
    logstash::PluginOptions options(configuration_, *plugin_, diagnostics_);
    auto made = with(options);
    for (const auto& entry : diagnostics_.entries())
      if (entry.severity == Diagnostics::Severity::error) diagnostics.error(place, entry.text);
    return made;
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
