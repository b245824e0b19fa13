#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "pipeline/codec.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/ruby_text.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Member;
using event::Value;

constexpr std::size_t kIndent = 4;

/// Events as Ruby's awesome_print shows them, for people to read.
class RubyDebug final : public Codec {
 public:
  explicit RubyDebug(bool metadata) : metadata_(metadata) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, Value::of(payload));
  }

  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    append_map(event.root(), kIndent, true, out);
    out += '\n';
  }

 private:
  bool shown(const Member& member, bool top) const { return !top || metadata_ || member.name != event::kMetadataField; }

  void append_map(const Value& map, std::size_t indent, bool top, std::string& out) const {
    std::size_t widest = 0;
    bool empty = true;
    for (const Member& member : map.members()) {
      if (!shown(member, top)) continue;
      std::string name;
      append_ruby_text(member.name, name);
      widest = std::max(widest, name.size());
      empty = false;
    }
    if (empty) {
      out += "{}";
      return;
    }
    out += "{\n";
    bool first = true;
    for (const Member& member : map.members()) {
      if (!shown(member, top)) continue;
      if (!std::exchange(first, false)) out += ",\n";
      std::string name;
      append_ruby_text(member.name, name);
      out.append(widest + indent - name.size(), ' ');
      out += name;
      out += " => ";
      append(member.value, indent + kIndent, out);
    }
    out += '\n';
    out.append(indent - kIndent, ' ');
    out += '}';
  }

  void append_list(const Value& list, std::size_t indent, std::string& out) const {
    const auto items = list.items();
    if (items.empty()) {
      out += "[]";
      return;
    }
    const std::size_t width = std::to_string(items.size() - 1).size();
    out += "[\n";
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ",\n";
      out.append(indent, ' ');
      out += fmt::format("[{:>{}}] ", i, width);
      append(items[i], indent + kIndent, out);
    }
    out += '\n';
    out.append(indent - kIndent, ' ');
    out += ']';
  }

  void append(const Value& value, std::size_t indent, std::string& out) const {
    switch (value.kind()) {
      case Kind::map:
        return append_map(value, indent, false, out);
      case Kind::list:
        return append_list(value, indent, out);
      case Kind::text:
        return append_ruby_text(value.text(), out);
      case Kind::real:
        return append_ruby_real(value.real(), out);
      case Kind::time:
        return event::append_time_ms(value.wall_ns(), out);
      case Kind::null:
        out += "nil";
        return;
      default:
        append_json(value, out);
    }
  }

  bool metadata_;
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  const bool metadata = options.boolean("metadata", false);
  if (options.failed()) return nullptr;
  return std::make_unique<RubyDebug>(metadata);
}

}  // namespace

extern const CodecPlugin codec_rubydebug;
const CodecPlugin codec_rubydebug = {"rubydebug", "Events for people to read.", make};

}  // namespace enclave::pipeline
