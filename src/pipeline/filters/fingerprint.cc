#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <random>

#include "base/encoding.h"
#include "crypto/named_digest.h"
#include "io/system.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/murmur3.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// In the order of kMethods.
enum class Method : std::uint8_t {
  md5,
  sha1,
  sha256,
  sha384,
  sha512,
  murmur3,
  murmur3_128,
  network,
  uuid,
  punctuation
};
constexpr std::string_view kMethods[] = {"MD5",     "SHA1",        "SHA256",       "SHA384", "SHA512",
                                         "MURMUR3", "MURMUR3_128", "IPV4_NETWORK", "UUID",   "PUNCTUATION"};

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else {
      out += c;
    }
  }
  out += '"';
}

/// As Ruby shows a value, since that is what people's stored fingerprints were made of; maps in the order of names.
void append_ruby(const Value& value, bool within, std::string& out) {
  if (value.is(Kind::map)) {
    std::vector<const event::Member*> members;
    for (const event::Member& member : value.members()) members.push_back(&member);
    std::ranges::sort(members, {}, &event::Member::name);
    out += '{';
    for (const event::Member* member : members) {
      if (member != members.front()) out += ", ";
      append_quoted(member->name, out);
      out += "=>";
      append_ruby(member->value, true, out);
    }
    out += '}';
  } else if (value.is(Kind::list)) {
    out += '[';
    for (const Value& item : value.items()) {
      if (&item != value.items().data()) out += ", ";
      append_ruby(item, true, out);
    }
    out += ']';
  } else if (within && value.is(Kind::text)) {
    append_quoted(value.text(), out);
  } else if (value.is(Kind::null)) {
    if (within) out += "nil";
  } else {
    append_text(value, out);
  }
}

/// A short text that stands for what fields hold.
class Fingerprint final : public Filter {
 public:
  struct Settings {
    Method method = Method::sha1;
    std::vector<std::string> names;
    std::vector<logstash::FieldReference> sources = {};  ///< in the order of `names`
    logstash::FieldReference target;
    std::optional<std::string> key = {};
    unsigned prefix_bits = 0;
    bool concatenate_sources = false, concatenate_all = false, base64 = false;
  };
  Fingerprint(Settings settings, Regex others) : settings_(std::move(settings)), others_(std::move(others)) {
    // Unlikely to be met twice is all that it must be: nobody's secret hangs on it.
    std::array<std::uint8_t, 32> bytes{};
    io::real_random().fill(bytes);
    std::seed_seq seed(bytes.begin(), bytes.end());
    random_.seed(seed);
  }

  bool apply(event::Document& event, FilterRun& run) override {
    switch (settings_.method) {
      case Method::uuid:
        return set(event, Value::of(event.arena().store(random_uuid())));
      case Method::punctuation:
        return keep_punctuation(event, run);
      default:
        break;
    }
    if (settings_.concatenate_all) return set(event, of_all(event, run));
    if (settings_.concatenate_sources) return set(event, of_sources(event, run));
    for (const auto& source : settings_.sources) {
      const Value* const value = event.find(source.segments());
      if (value == nullptr) continue;
      if (!value->is(Kind::list)) {
        if (!set(event, of_one(*value, event, run))) return false;
        continue;
      }
      const Value list = Value::list(event.arena(), value->items().size());
      for (const Value& item : value->items()) list.append(event.arena(), of_one(item, event, run));
      if (!set(event, list)) return false;
    }
    return true;
  }

 private:
  /// What has no fingerprint, such as the network of a text that is no address, is a tag.
  bool set(event::Document& event, Value value) const {
    if (!value.is(Kind::null) && event.set(settings_.target.segments(), value)) return true;
    event.tag("_fingerprintfailure");
    return false;
  }

  std::string random_uuid() {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      const std::uint64_t some = random_();
      for (std::size_t j = 0; j < 8; ++j) bytes[i + j] = static_cast<std::uint8_t>(some >> (8 * j));
    }
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text = to_hex(bytes_of(bytes));
    for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
    return text;
  }

  bool keep_punctuation(event::Document& event, FilterRun& run) {
    for (const auto& source : settings_.sources) {
      const Value* const value = event.find(source.segments());
      if (value == nullptr) continue;
      run.scratch.clear();
      if (!value->is(Kind::text) || !others_.replace(value->text(), "", run.scratch)) return set(event, {});
      if (!set(event, Value::of(event.arena().store(run.scratch)))) return false;
    }
    return true;
  }

  Value of_all(event::Document& event, FilterRun& run) const {
    std::vector<const event::Member*> members;
    for (const event::Member& member : event.root().members())
      if (member.name != event::kMetadataField) members.push_back(&member);
    std::ranges::sort(members, {}, &event::Member::name);
    run.scratch.clear();
    for (const event::Member* member : members) {
      fmt::format_to(std::back_inserter(run.scratch), "|{}|", member->name);
      append_ruby(member->value, false, run.scratch);
    }
    run.scratch += '|';
    return of_text(run.scratch, event);
  }

  Value of_sources(event::Document& event, FilterRun& run) const {
    run.scratch.clear();
    for (std::size_t i = 0; i < settings_.sources.size(); ++i) {
      fmt::format_to(std::back_inserter(run.scratch), "|{}|", settings_.names[i]);
      if (const Value* const value = event.find(settings_.sources[i].segments()))
        append_ruby(*value, false, run.scratch);
    }
    run.scratch += '|';
    return of_text(run.scratch, event);
  }

  Value of_one(const Value& value, event::Document& event, FilterRun& run) const {
    run.scratch.clear();
    const bool murmur = settings_.method == Method::murmur3 || settings_.method == Method::murmur3_128;
    if (murmur && value.is(Kind::integer)) {
      // As the original: a number by its eight bytes, the low one first.
      for (int i = 0; i < 8; ++i)
        run.scratch += static_cast<char>(static_cast<std::uint64_t>(value.integer()) >> (8 * i));
    } else {
      append_ruby(value, false, run.scratch);
    }
    return of_text(run.scratch, event);
  }

  Value of_text(std::string_view text, event::Document& event) const {
    if (settings_.method == Method::murmur3) return Value::of(static_cast<std::int64_t>(murmur3_32(text)));
    if (settings_.method == Method::network) return network_of(text, event);
    std::string bytes;
    if (settings_.method == Method::murmur3_128) {
      for (const std::uint64_t half : murmur3_128(text))
        for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift);
    } else {
      const auto name = static_cast<crypto::DigestName>(settings_.method);
      auto digest = settings_.key ? crypto::hmac_of(name, *settings_.key, text) : crypto::digest_of(name, text);
      if (!digest) return {};
      bytes = std::move(*digest);
    }
    return Value::of(event.arena().store(settings_.base64 ? to_base64(bytes) : to_hex(bytes)));
  }

  Value network_of(std::string_view text, event::Document& event) const {
    std::uint32_t address = 0;
    const char *at = text.data(), *const end = at + text.size();
    for (int i = 0; i < 4; ++i) {
      std::uint8_t byte = 0;
      const auto read = std::from_chars(at, end, byte);
      if (read.ec != std::errc() || read.ptr - at > 3 || (i < 3 && (read.ptr == end || *read.ptr != '.'))) return {};
      address = address << 8 | byte;
      at = i < 3 ? read.ptr + 1 : read.ptr;
    }
    if (at != end) return {};
    const std::uint32_t mask = settings_.prefix_bits == 0 ? 0 : ~std::uint32_t{0} << (32 - settings_.prefix_bits);
    address &= mask;
    return Value::of(event.arena().store(
        fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255)));
  }

  Settings settings_;
  Regex others_;
  std::mt19937_64 random_;
};

void read_key(logstash::PluginOptions& options, Fingerprint::Settings& settings) {
  settings.key = options.text_if_set("key");
  if (settings.method != Method::network) return;
  const auto bits = parse_number(settings.key.value_or(""));
  if (!bits || *bits > 32)
    options.mistake("key", "IPV4_NETWORK wants the length of the network's prefix, 0 to 32: key => \"24\"");
  settings.prefix_bits = bits ? static_cast<unsigned>(std::min<std::uint64_t>(*bits, 32)) : 0;
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  const bool ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  Fingerprint::Settings settings{.names = options.texts("source", {"message"}),
                                 .target = options.field("target", ecs ? "[event][hash]" : "fingerprint")};
  const std::string method = options.choice("method", kMethods, "SHA1");
  settings.method = static_cast<Method>(std::ranges::find(kMethods, method) - std::begin(kMethods));
  read_key(options, settings);
  settings.concatenate_sources = options.boolean("concatenate_sources", false);
  settings.concatenate_all = options.boolean("concatenate_all_fields", false);
  settings.base64 = options.boolean("base64encode", false);
  if (settings.concatenate_sources || settings.method == Method::punctuation) std::ranges::sort(settings.names);
  for (const auto& name : settings.names) settings.sources.push_back(options.as_field("source", name));
  auto others = Regex::compile("[^\\p{P}\\p{S}]+");
  if (!others) options.mistake("method", others.error().text());
  if (options.failed()) return nullptr;
  return std::make_unique<Fingerprint>(std::move(settings), std::move(*others));
}

}  // namespace

extern const FilterPlugin filter_fingerprint;
const FilterPlugin filter_fingerprint = {"fingerprint", "Writes a short text that stands for what fields hold.", make};

}  // namespace enclave::pipeline
