#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/options.h"
#include "pipeline/filebeat/options.h"
#include "pipeline/filebeat/value.h"
#include "pipeline/filebeat/variables.h"

/// From nodes to options, by tables of slots: one table reads a section, names what is unknown in it, and prints it.
namespace enclave::pipeline::filebeat {

inline constexpr int kOldest = 6, kNewest = 8;

/// What a setting may be, and to which generations it belongs.
struct Rule {
  std::span<const std::string_view> words = {};
  std::int64_t least = 0, most = std::int64_t{1} << 53;
  int first = kOldest, last = kNewest;
  std::string_view instead = {};  ///< what other generations write
};

using Target =
    std::variant<bool*, std::int64_t*, Nanoseconds*, ByteCount*, Permissions*, std::string*, Strings*, Value*>;

struct Slot {
  std::string name;  ///< with dots: "json.message_key"
  Target target;
  Rule rule = {};
};
using Slots = std::vector<Slot>;

/// JSON of what a slot holds.
std::string show(const Target& target);

/// Adds `more` with `prefix` before their names.
void append(Slots& slots, std::string_view prefix, Slots more);

struct Handler {
  std::string name;
  std::function<void(const Node::Member& member, const std::string& name)> take;
  Rule rule = {};
};
using Handlers = std::vector<Handler>;

/// A key that belongs to some generations only.
struct Evidence {
  std::string key;
  Place place;
  Rule rule;
};

/// Keys with dots as maps within maps: a.b: 1 as a: {b: 1}. The same setting twice is an error, and the first one
/// stays.
Node nested(const Node& node, Diagnostics& diagnostics);

/// The node at a path of dotted names in a nested tree; nullptr when nothing stands there.
const Node* find_path(const Node& node, std::string_view path);
/// Where it stands, or the nearest thing around it.
Place place_of(const Node& node, std::string_view path);

class Reader {
 public:
  Reader(std::string_view text, Lookup lookup, int generation, Diagnostics& diagnostics);

  /// Told of a key that no table has; true when it was dealt with.
  using Unknown = std::function<bool(const Node::Member& member, const std::string& name)>;

  /// Reads a map. `what` says where its keys are, such as "a log input".
  void walk(const Node& map, const std::string& what, const Slots& slots, const Handlers& handlers = {},
            const Unknown& unknown = {});

  /// The value with its variables replaced.
  Value value(const Node& node);
  /// none after a mistake that was told, or where nothing stands.
  std::optional<std::string> scalar(const Node& node, const std::string& name);
  void strings(const Node& node, const std::string& name, Strings& into);
  void set(const Slot& slot, const Node& node);
  /// Reads another file from here on.
  void use_text(std::string_view text);

  Diagnostics& diagnostics() { return diagnostics_; }
  int generation() const { return generation_; }
  const std::vector<Evidence>& evidence() const { return evidence_; }

 private:
  void walk_at(const Node& map, const std::string& prefix, const std::string& what, const Slots& slots,
               const Handlers& handlers, const Unknown& unknown);
  void note(const std::string& name, const Place& place, const Rule& rule);
  void wrong(const Node& node, const std::string& name, std::string_view wanted);
  bool is_quoted(const Place& place) const;
  void set_number(const Slot& slot, const Node& node, const std::string& text, std::int64_t& into);

  std::string_view text_;
  std::vector<std::size_t> lines_;
  Lookup lookup_;
  int generation_;
  Diagnostics& diagnostics_;
  std::vector<Evidence> evidence_;
};

/// As Go writes durations: 1h30m, 500ms, 1.5s; a number alone counts seconds.
Result<Nanoseconds> parse_go_duration(std::string_view text);
std::string format_go_duration(Nanoseconds duration);
/// A number of bytes, or with a unit: 10MiB, 10KB (of 1000).
Result<ByteCount> parse_size(std::string_view text);

}  // namespace enclave::pipeline::filebeat
