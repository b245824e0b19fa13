#include <algorithm>
#include <set>

#include "pipeline/charset.h"
#include "pipeline/filebeat/dressing_detail.h"
#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

/// When a file is opened, closed, looked at and forgotten is ours to decide: no line depends on it.
constexpr std::string_view kWithoutEffect[] = {"backoff",
                                               "backoff_factor",
                                               "max_backoff",
                                               "harvester_buffer_size",
                                               "harvester_limit",
                                               "close_inactive",
                                               "close_removed",
                                               "close_renamed",
                                               "close_eof",
                                               "close_timeout",
                                               "clean_inactive",
                                               "clean_removed",
                                               "scan.order",
                                               "scan.sort",
                                               "recursive_glob.enabled",
                                               "symlinks",
                                               "file_identity",
                                               "buffer_size",
                                               "backoff.init",
                                               "backoff.max",
                                               "close.on_state_change.check_interval",
                                               "close.on_state_change.inactive",
                                               "close.on_state_change.removed",
                                               "close.on_state_change.renamed",
                                               "close.reader.after_interval",
                                               "close.reader.on_eof",
                                               "take_over",
                                               "prospector.scanner.symlinks",
                                               "prospector.scanner.recursive_glob",
                                               "prospector.scanner.fingerprint.enabled",
                                               "prospector.scanner.fingerprint.offset",
                                               "prospector.scanner.fingerprint.length"};

Node scalar_node(const Place& place, std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.place = place;
  node.scalar = std::move(text);
  return node;
}

class Converter {
 public:
  Converter(const Input& input, Diagnostics& diagnostics) : input_(input), diagnostics_(diagnostics) {
    out_.kind = Node::Kind::map;
    out_.place = input.place;
  }

  Node convert() {
    if (input_.type == "log" || input_.type == "filestream") {
      file();
    } else if (input_.type == "journald") {
      journald();
    } else if (input_.type == "stdin") {
      add("type", "stdin");
      common();
    } else {
      diagnostics_.warning(place_of(input_.node, "type"),
                           fmt::format("the input {} is not yet offered; nothing is read by it", input_.type));
      return {};
    }
    rest();
    return std::move(out_);
  }

 private:
  Place place(std::string_view name) const { return place_of(input_.node, name); }

  void add(const std::string& key, std::string text, std::string_view from = "type") {
    out_.members.push_back({key, place(from), scalar_node(place(from), std::move(text))});
    done_.insert(std::string(from));
  }
  void add_list(const std::string& key, const Strings& texts, std::string_view from) {
    done_.insert(std::string(from));
    if (texts.empty()) return;
    Node list;
    list.kind = Node::Kind::list;
    list.place = place(from);
    for (const auto& text : texts) list.items.push_back(scalar_node(list.place, text));
    out_.members.push_back({key, list.place, std::move(list)});
  }
  void add_duration(const std::string& key, Nanoseconds value, std::string_view from) {
    add(key, format_duration(value), from);
  }

  void common() {
    if (!input_.id.empty()) add("id", input_.id, "id");
    if (!input_.enabled) add("enabled", "false", "enabled");
  }

  void file() {
    const bool log = input_.type == "log";
    const FilestreamOptions& stream = input_.filestream;
    add("type", "file");
    common();
    add_list("paths", input_.paths(), "paths");
    const std::string_view excluded = log ? "exclude_files" : "prospector.scanner.exclude_files";
    exclude(log ? input_.log.exclude_files : stream.exclude_files, excluded);
    const std::string_view bytes = log ? "max_bytes" : "message_max_bytes";
    max_bytes(log ? input_.log.max_bytes : stream.message_max_bytes, bytes);
    const std::string_view scan = log ? "scan_frequency" : "prospector.scanner.check_interval";
    if (find_path(input_.node, scan) != nullptr)
      add_duration("scan_frequency",
                   std::max<Nanoseconds>(100ms, log ? input_.log.scan_frequency : stream.check_interval), scan);
    if (find_path(input_.node, "ignore_older") != nullptr)
      add_duration("ignore_older", log ? input_.log.ignore_older : stream.ignore_older, "ignore_older");
    const std::string_view tail = log ? "tail_files" : "seek_to_tail";
    if (log ? input_.log.tail_files : stream.seek_to_tail) add("from_beginning", "false", tail);
    cut(log ? input_.log.encoding : stream.encoding, log ? "auto" : stream.line_terminator);
    // Without it filestream gives the packed bytes as lines, which nobody wants: ours leaves such files out.
    if (!log && stream.compression == "none") add("gzip", "false", "compression");
    if (!log && (stream.compression == "gzip" || stream.compression == "auto")) done_.insert("compression");
  }

  /// UTF-16 and what ends lines, in the bytes of the file. Other encodings are made UTF-8 later.
  void cut(const std::string& encoding, const std::string& terminator) {
    constexpr std::pair<std::string_view, std::string_view> kEnds[] = {{"line_feed", "\n"},
                                                                       {"vertical_tab", "\v"},
                                                                       {"form_feed", "\f"},
                                                                       {"carriage_return", "\r"},
                                                                       {"carriage_return_line_feed", "\r\n"},
                                                                       {"next_line", "\u0085"},
                                                                       {"line_separator", "\u2028"},
                                                                       {"paragraph_separator", "\u2029"},
                                                                       {"null_terminator", std::string_view("\0", 1)}};
    const bool two_bytes = is_utf16(encoding);
    if (two_bytes) add("encoding", std::string(utf16_name(encoding)), "encoding");
    std::string end = encoding.starts_with("ebcdic") ? "\n" : "";
    for (const auto& [name, text] : kEnds)
      if (terminator == name) end = text;
    if (terminator != "auto") done_.insert("line_terminator");
    if (end.empty()) return;
    const auto bytes = two_bytes ? Result<std::string>(end) : Charset::encoded(std::string(iconv_name(encoding)), end);
    if (bytes) {
      add("line_end", *bytes);
    } else {
      diagnostics_.error(place("line_terminator"), fmt::format("line_terminator: {}", bytes.error().text()));
    }
  }

  void exclude(const Strings& patterns, std::string_view from) {
    Strings globs;
    for (const auto& pattern : patterns) {
      if (std::string glob = glob_of(pattern); !glob.empty()) {
        globs.push_back(std::move(glob));
      } else {
        diagnostics_.warning(place(from), fmt::format("{}: the pattern {} is not yet offered; only such as '\\.gz$' "
                                                      "are",
                                                      from, pattern));
      }
    }
    add_list("exclude", globs, from);
  }

  void max_bytes(ByteCount value, std::string_view from) {
    if (find_path(input_.node, from) == nullptr) return;
    constexpr ByteCount kMost = 16_MiB;
    if (value > kMost)
      diagnostics_.warning(place(from), fmt::format("{}: lines of more than 16 MiB are not yet offered", from));
    add("max_bytes", fmt::format("{}B", std::min<std::uint64_t>(value, kMost)), from);
  }

  void journald() {
    const JournaldOptions& journal = input_.journald;
    add("type", "journald");
    common();
    Strings paths = journal.paths;
    // Filebeat's name for the journal of this machine, which ours reads without any path.
    std::erase(paths, "LOCAL_SYSTEM_JOURNAL");
    add_list("paths", paths, "paths");
    if (find_path(input_.node, "seek") != nullptr && journal.seek != "since") add("seek", journal.seek, "seek");
    add_list("include_matches", journal.include_matches, "include_matches");
    done_.insert("include_matches.match");
    add_list("units", journal.units, "units");
  }

  /// Whatever stands in the file, is not at its default, and was not taken above.
  void rest() {
    Input now = input_, plain = default_input(input_.type, kNewest);
    const Slots slots = slots_of(now), before = slots_of(plain);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const std::string& name = slots[i].name;
      if (done_.contains(name) || name == "enabled" || name == "id") continue;
      if (find_path(input_.node, name) == nullptr || show(slots[i].target) == show(before[i].target)) continue;
      const bool idle =
          std::find(std::begin(kWithoutEffect), std::end(kWithoutEffect), name) != std::end(kWithoutEffect);
      diagnostics_.warning(place(name), idle ? fmt::format("{} changes nothing here", name)
                                             : fmt::format("{} is not yet offered", name));
    }
    if (!input_.processors.empty()) diagnostics_.warning(place("processors"), "processors is not yet offered");
    const auto& parsers = input_.type == "journald" ? input_.journald.parsers : input_.filestream.parsers;
    for (const auto& parser : parsers)
      diagnostics_.warning(parser.place, fmt::format("the parser {} is not yet offered", parser.kind));
  }

  const Input& input_;
  Diagnostics& diagnostics_;
  Node out_;
  std::set<std::string> done_;
};

}  // namespace

/// "\.gz$", ".gz$" and "^/var/log/x\.log$" are the patterns that people write; "" for any other.
std::string glob_of(std::string_view pattern) {
  const bool whole = pattern.starts_with("^/");
  if (!pattern.ends_with('$')) return "";
  pattern.remove_suffix(1);
  if (whole) pattern.remove_prefix(1);
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '/';
    if (word || (c == '.' && i == 0 && !whole)) {
      out += c;
    } else if (c == '\\' && i + 1 < pattern.size() && (pattern[i + 1] == '.' || pattern[i + 1] == '-')) {
      out += pattern[++i];
    } else {
      return "";
    }
  }
  if (whole) return out;
  return out.starts_with('.') && out.find('/') == std::string::npos ? "*" + out : "";
}

Node to_enclave_input(const Input& input, Diagnostics& diagnostics) { return Converter(input, diagnostics).convert(); }

}  // namespace enclave::pipeline::filebeat
