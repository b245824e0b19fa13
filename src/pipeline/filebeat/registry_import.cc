#include "pipeline/filebeat/registry_import.h"

#include <simdjson.h>

#include <charconv>
#include <map>

#include "base/files.h"
#include "base/time.h"

namespace enclave::pipeline::filebeat {
namespace {

namespace dom = simdjson::dom;

std::optional<std::string> text_at(dom::element in, std::string_view key) {
  std::string_view found;
  if (in[key].get_string().get(found) != simdjson::SUCCESS) return std::nullopt;
  return std::string(found);
}

std::optional<std::uint64_t> number_at(dom::element in, std::string_view key) {
  std::uint64_t found = 0;
  if (in[key].get_uint64().get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

/// RFC 3339 of the old forms, or two numbers: nanoseconds (the low 32 bits) and seconds.
std::optional<std::int64_t> time_at(dom::element in, std::string_view key) {
  if (const auto text = text_at(in, key)) {
    const auto parsed = parse_time(*text);
    return parsed ? std::optional(*parsed) : std::nullopt;
  }
  dom::array pair;
  if (in[key].get_array().get(pair) != simdjson::SUCCESS || pair.size() != 2) return std::nullopt;
  std::uint64_t extra = 0;
  std::int64_t seconds = 0;
  if (pair.at(0).get_uint64().get(extra) != simdjson::SUCCESS) return std::nullopt;
  if (pair.at(1).get_int64().get(seconds) != simdjson::SUCCESS) return std::nullopt;
  const auto nanoseconds = static_cast<std::int64_t>(extra & 0xffffffff);
  constexpr std::int64_t kSecondsMax = 9'000'000'000;
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (extra >> 56 != 0 || nanoseconds >= kSecond || seconds < 0 || seconds > kSecondsMax) return std::nullopt;
  return seconds * kSecond + nanoseconds;
}

bool parse_pair(std::string_view text, RegistryEntry& entry) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const char* middle = text.data() + dash;
  const char* end = text.data() + text.size();
  const auto inode = std::from_chars(text.data(), middle, entry.inode);
  const auto device = std::from_chars(middle + 1, end, entry.device);
  return inode.ptr == middle && inode.ec == std::errc() && device.ptr == end && device.ec == std::errc();
}

enum class Read : std::uint8_t { entry, other, damaged };

/// {"cursor": {"offset": 3}, "meta": {"source": "/x", "identifier_name": "native"}, "ttl": 0, "updated": […]}
Read read_filestream(dom::element value, RegistryEntry& entry) {
  dom::element meta, cursor;
  if (value["meta"].get(meta) != simdjson::SUCCESS || !meta.is_object()) return Read::other;
  const auto source = text_at(meta, "source");
  if (!source) return Read::other;
  entry.source = *source;
  entry.identifier_name = text_at(meta, "identifier_name").value_or("");
  entry.type = "filestream";
  if (value["cursor"].get(cursor) == simdjson::SUCCESS && !cursor.is_null()) {
    const auto offset = number_at(cursor, "offset");
    if (!offset) return Read::damaged;
    entry.offset = *offset;
  }
  entry.timestamp_ns = time_at(value, "updated");
  const std::size_t native = entry.key.rfind("native::");
  if (native != std::string::npos && !parse_pair(std::string_view(entry.key).substr(native + 8), entry))
    return Read::damaged;
  return Read::entry;
}

Read read_entry(dom::element value, RegistryEntry& entry) {
  if (!value.is_object()) return Read::damaged;
  std::int64_t ttl = 0;
  if (value["ttl"].get_int64().get(ttl) == simdjson::SUCCESS) entry.ttl_ns = ttl;
  const bool log = entry.key.empty() || entry.key.starts_with("filebeat::logs::");
  Read out = Read::entry;
  if (log) {
    const auto source = text_at(value, "source");
    const auto offset = number_at(value, "offset");
    if (!source || !offset) return Read::damaged;
    entry.source = *source;
    entry.offset = *offset;
    entry.timestamp_ns = time_at(value, "timestamp");
    entry.type = text_at(value, "type").value_or("log");
    entry.identifier_name = text_at(value, "identifier_name").value_or("");
    dom::element state;
    if (value["FileStateOS"].get(state) == simdjson::SUCCESS && state.is_object()) {
      entry.inode = number_at(state, "inode").value_or(0);
      entry.device = number_at(state, "device").value_or(0);
    }
  } else {
    out = read_filestream(value, entry);
  }
  if (out != Read::entry) return out;
  const bool whole = !entry.source.empty() && entry.source.size() <= kRegistryPathBytesMax &&
                     entry.source.find('\0') == std::string::npos;
  return whole ? Read::entry : Read::damaged;
}

/// The entries by key; what has none is told apart by file and device.
class Table {
 public:
  Result<void> set(RegistryEntry entry, dom::element value) {
    const Read read = read_entry(value, entry);
    damaged_ += read == Read::damaged;
    const std::string key =
        entry.key.empty() ? fmt::format("{} {} {}", entry.source, entry.inode, entry.device) : entry.key;
    if (read == Read::other) others_[key] = true;
    if (read != Read::entry) return {};
    if (entries_.size() >= kRegistryEntriesMax && !entries_.contains(key))
      return Error{Fault::limit, "the registry has more than {} entries", kRegistryEntriesMax};
    entries_.insert_or_assign(key, std::move(entry));
    return {};
  }
  void remove(const std::string& key) {
    entries_.erase(key);
    others_.erase(key);
  }
  void damage() { ++damaged_; }

  Result<void> array(std::string_view json) {
    dom::parser parser;
    dom::element root;
    dom::array items;
    if (json.size() > kRegistryBytesMax)
      return Error{Fault::limit, "the registry has more than {} bytes", kRegistryBytesMax};
    // Nothing may be a null pointer, which the parser would copy from.
    if (json.empty() || parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
        root.get_array().get(items) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "this is no registry of Filebeat: a JSON array is wanted"};
    for (const auto item : items) {
      RegistryEntry entry;
      if (item.is_object()) entry.key = text_at(item, "_key").value_or("");
      TRY(set(std::move(entry), item));
    }
    return {};
  }

  RegistryImport take() {
    RegistryImport out;
    for (auto& [key, entry] : entries_) out.entries.push_back(std::move(entry));
    out.damaged = damaged_;
    out.others = others_.size();
    return out;
  }

 private:
  std::map<std::string, RegistryEntry> entries_;
  std::map<std::string, bool> others_;
  std::uint64_t damaged_ = 0;
};

struct Operation {
  std::string name;
  std::uint64_t id = 0;
};

/// One line of the log; `pending` is what the line before announced.
Result<void> take_line(dom::parser& parser, std::string_view line, std::uint64_t checkpoint_id,
                       std::optional<Operation>& pending, Table& table) {
  dom::element root;
  if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    table.damage();
    pending.reset();
    return {};
  }
  if (auto name = text_at(root, "op")) {
    if (pending) table.damage();
    const auto id = number_at(root, "id");
    pending.reset();
    if (id && (*name == "set" || *name == "remove")) {
      pending = Operation{std::move(*name), *id};
    } else {
      table.damage();
    }
    return {};
  }
  const auto operation = std::exchange(pending, std::nullopt);
  auto key = text_at(root, "k");
  if (!key) key = text_at(root, "K");
  if (!operation || !key) {
    table.damage();
    return {};
  }
  if (operation->id <= checkpoint_id) return {};
  if (operation->name == "remove") {
    table.remove(*key);
    return {};
  }
  dom::element value;
  if (root["v"].get(value) != simdjson::SUCCESS && root["V"].get(value) != simdjson::SUCCESS) {
    table.damage();
    return {};
  }
  RegistryEntry entry;
  entry.key = std::move(*key);
  return table.set(std::move(entry), value);
}

Result<std::string> read_if_there(Files& files, const std::string& path) {
  auto text = read_file(files, path, kRegistryBytesMax);
  if (!text && text.error().fault() == Fault::absent) return std::string();
  return text;
}

/// The newest NNN.json of a folder; 0 when there is none.
Result<std::uint64_t> newest_checkpoint(Files& files, const std::string& folder) {
  std::uint64_t newest = 0;
  for (const auto& entry : TRY(files.list(folder))) {
    std::string_view name = entry.name;
    if (!name.ends_with(".json")) continue;
    name.remove_suffix(5);
    std::uint64_t id = 0;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (fault == std::errc() && end == name.data() + name.size() && id > newest) newest = id;
  }
  return newest;
}

}  // namespace

Result<RegistryImport> parse_registry_array(std::string_view json) {
  Table table;
  TRY(table.array(json));
  return table.take();
}

Result<RegistryImport> parse_registry_log(std::string_view checkpoint, std::uint64_t checkpoint_id,
                                          std::string_view log) {
  Table table;
  if (!checkpoint.empty()) TRY(table.array(checkpoint));
  if (log.size() > kRegistryBytesMax) return Error{Fault::limit, "log.json has more than {} bytes", kRegistryBytesMax};
  dom::parser parser;
  std::optional<Operation> pending;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) TRY(take_line(parser, line, checkpoint_id, pending, table));
  }
  // A last line that was not written any more.
  if (pending) table.damage();
  return table.take();
}

Result<RegistryImport> import_registry(Files& files, const std::string& path) {
  const auto info = files.info(path);
  if (!info) return Error{info.error()}.within(path);
  if (info->kind != FileKind::directory) {
    auto out = parse_registry_array(TRY(read_file(files, path, kRegistryBytesMax)));
    if (!out) return Error{out.error()}.within(path);
    return out;
  }
  std::string folder = path;
  if (const std::string inner = join_path(path, "filebeat"); files.info(inner)) folder = inner;
  const std::string meta = TRY(read_if_there(files, join_path(folder, "meta.json")));
  if (meta.empty()) return Error{Fault::absent, "{}: no registry of Filebeat is there: meta.json is missing", folder};
  dom::parser parser;
  dom::element root;
  std::optional<std::string> version;
  if (parser.parse(meta.data(), meta.size()).get(root) == simdjson::SUCCESS && root.is_object())
    version = text_at(root, "version");
  if (version == "0") {
    auto out = parse_registry_array(TRY(read_file(files, join_path(folder, "data.json"), kRegistryBytesMax)));
    if (!out) return Error{out.error()}.within(join_path(folder, "data.json"));
    return out;
  }
  if (version != "1")
    return Error{Fault::unsupported, "{}/meta.json: version {} of the registry is not known", folder,
                 version.value_or("?")};
  const std::uint64_t id = TRY(newest_checkpoint(files, folder));
  const std::string checkpoint =
      id == 0 ? "" : TRY(read_file(files, join_path(folder, fmt::format("{}.json", id)), kRegistryBytesMax));
  const std::string log = TRY(read_if_there(files, join_path(folder, "log.json")));
  auto out = parse_registry_log(checkpoint, id, log);
  if (!out) return Error{out.error()}.within(folder);
  return out;
}

}  // namespace enclave::pipeline::filebeat
