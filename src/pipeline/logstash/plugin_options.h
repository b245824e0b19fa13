#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.h"
#include "pipeline/logstash/ast.h"
#include "pipeline/logstash/field_reference.h"
#include "pipeline/logstash/text_reference.h"

namespace enclave::pipeline::logstash {

/// The options of one plugin as its maker reads them. Settings that repeat are merged as the original does it: hashes
/// into one, lists end to end, other values into a list. Each mistake goes to the diagnostics with its place; the
/// reader then gets the default.
class PluginOptions {
 public:
  PluginOptions(const Configuration& configuration, const Plugin& plugin, Diagnostics& diagnostics)
      : configuration_(configuration), plugin_(plugin), diagnostics_(diagnostics) {}

  bool has(std::string_view name) const;

  std::string text(std::string_view name, std::string_view otherwise = "");
  std::optional<std::string> text_if_set(std::string_view name);
  /// One of `allowed`; else a mistake with the nearest of them.
  std::string choice(std::string_view name, std::span<const std::string_view> allowed, std::string_view otherwise);
  bool boolean(std::string_view name, bool otherwise);
  std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  double real(std::string_view name, double otherwise);
  /// A single value is a list of one.
  std::vector<std::string> texts(std::string_view name, std::vector<std::string> otherwise = {});
  /// The entries of a hash in the order of the file; a value that is a list has several texts. Old files write a hash
  /// as a list of names and values in turn; so it is read too.
  std::vector<std::pair<std::string, std::vector<std::string>>> hash(std::string_view name);
  /// Where `hash` must have one text each.
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view name);

  FieldReference field(std::string_view name, std::string_view otherwise);
  std::optional<FieldReference> field_if_set(std::string_view name);
  std::vector<FieldReference> fields(std::string_view name);
  TextReference reference(std::string_view name, std::string_view otherwise);
  /// A text of one of this plugin's options, as a field or text reference.
  FieldReference as_field(std::string_view option, const std::string& text);
  TextReference as_reference(std::string_view option, const std::string& text);

  /// The plugin that stands as the value of an option: `codec => json {}`. Null when it is something else.
  const Plugin* plugin_value(std::string_view name);
  /// The options of a plugin that plugin_value() gave.
  PluginOptions nested(const Plugin& plugin) const { return {configuration_, plugin, diagnostics_}; }

  /// Known, and without effect here: `why` is said as a warning when it is set.
  void ignored(std::string_view name, std::string_view why);
  /// A mistake at this option, or at the plugin when it is not set.
  void mistake(std::string_view option, std::string text);
  void warning(std::string_view option, std::string text);
  /// A mistake that was told elsewhere already.
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }

  /// After all were read: each option that nobody asked for is a mistake with the nearest known name. Options that
  /// every filter has are known.
  void finish();

  const Plugin& plugin() const { return plugin_; }
  const Configuration& configuration() const { return configuration_; }
  Diagnostics& diagnostics() const { return diagnostics_; }
  Place place() const { return configuration_.place(plugin_.position); }

 private:
  std::vector<const Attribute*> find(std::string_view name);

  const Configuration& configuration_;
  const Plugin& plugin_;
  Diagnostics& diagnostics_;
  std::set<std::string, std::less<>> known_;
  bool failed_ = false;
};

}  // namespace enclave::pipeline::logstash
