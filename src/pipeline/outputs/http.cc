#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "cloud/parallel.h"
#include "io/patience.h"
#include "pipeline/deflater.h"
#include "pipeline/http_options.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/output.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Value;
using logstash::TextReference;

enum class Format : std::uint8_t { json, json_batch, form, message };

struct Settings {
  TextReference url;
  std::string method = "POST";
  Format format = Format::json;
  TextReference message;
  std::vector<std::pair<std::string, TextReference>> headers, mapping;
  std::set<std::int64_t> retryable, ignorable;
  bool retry_failed = true, compressed = false;
  io::HttpOptions http;
};

/// What an event says must not become another header or another request.
std::string without_controls(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

/// Of one that is literal.
std::string_view literal_of(const TextReference& text) {
  return text.parts().empty() ? std::string_view() : text.parts()[0].text;
}

/// As a form has it: a space is a plus.
void append_encoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '*';
    if (plain || c == ' ')
      out += plain ? c : '+';
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
}

/// A target is the URL and, each on a line of its own, the headers.
class HttpPacker final : public Packer {
 public:
  explicit HttpPacker(const Settings& settings) : settings_(settings) {
    constant_ = settings.url.is_literal() || settings.format == Format::json_batch;
    for (const auto& [name, value] : settings.headers) constant_ = constant_ && value.is_literal();
  }

  void pack(const event::Batch& /*batch*/, std::span<const Document> events, FilterRun& run, Parcel& into) override {
    if (events.empty()) return;
    if (settings_.format == Format::json_batch) return pack_batch(events, run, into);
    for (const Document& event : events) {
      const std::uint32_t target = target_of(event, run, into);
      const std::size_t begin = into.bytes.size();
      append_body(event, run, into.bytes);
      into.add(begin, target);
    }
  }
  void end(Parcel& into) override {
    known_.clear();
    if (settings_.format == Format::json_batch && !into.pieces.empty()) {
      into.bytes += ']';
      into.pieces.back().end = into.bytes.size();
    }
  }

 private:
  void pack_batch(std::span<const Document> events, FilterRun& run, Parcel& into) {
    if (into.pieces.empty()) into.pieces.push_back({0, 0, target_of(events[0], run, into), 0});
    for (const Document& event : events) {
      into.bytes += into.bytes.empty() ? '[' : ',';
      append_object(event, run, into.bytes);
    }
    into.pieces.back().events += static_cast<std::uint32_t>(events.size());
    into.events += events.size();
  }

  std::uint32_t target_of(const Document& event, FilterRun& run, Parcel& into) {
    if (constant_ && !into.targets.empty()) return 0;
    target_.clear();
    append_url(event, run);
    for (const auto& [name, value] : settings_.headers) {
      run.scratch.clear();
      logstash::append_reference(value, event, run.now_ns, run.scratch);
      target_ += fmt::format("\n{}: {}", name, without_controls(run.scratch));
    }
    const auto [at, is_new] = known_.try_emplace(target_, static_cast<std::uint32_t>(into.targets.size()));
    if (is_new) into.targets.push_back(target_);
    return at->second;
  }

  /// Spaces, controls and bytes beyond ASCII are written as %20 and so on.
  void append_url(const Document& event, FilterRun& run) {
    run.scratch.clear();
    logstash::append_reference(settings_.url, event, run.now_ns, run.scratch);
    for (const char c : run.scratch) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\')
        fmt::format_to(std::back_inserter(target_), "%{:02X}", byte);
      else
        target_ += c;
    }
  }

  void append_object(const Document& event, FilterRun& run, std::string& out) {
    if (settings_.mapping.empty()) return append_json(event, out);
    out += '{';
    bool first = true;
    for (const auto& [name, value] : settings_.mapping) {
      if (!std::exchange(first, false)) out += ',';
      append_json(Value::of(std::string_view(name)), out);
      out += ':';
      run.scratch.clear();
      logstash::append_reference(value, event, run.now_ns, run.scratch);
      append_json(Value::of(std::string_view(run.scratch)), out);
    }
    out += '}';
  }

  void append_body(const Document& event, FilterRun& run, std::string& out) {
    if (settings_.format == Format::message)
      return logstash::append_reference(settings_.message, event, run.now_ns, out);
    if (settings_.format == Format::json) return append_object(event, run, out);
    bool first = true;
    const auto pair = [&](std::string_view name, std::string_view value) {
      if (!std::exchange(first, false)) out += '&';
      append_encoded(name, out);
      out += '=';
      append_encoded(value, out);
    };
    for (const auto& [name, value] : settings_.mapping) {
      run.scratch.clear();
      logstash::append_reference(value, event, run.now_ns, run.scratch);
      pair(name, run.scratch);
    }
    if (!settings_.mapping.empty()) return;
    for (const event::Member& member : event.root().members()) {
      if (member.name == event::kMetadataField) continue;
      run.scratch.clear();
      append_text(member.value, run.scratch);
      pair(member.name, run.scratch);
    }
  }

  const Settings& settings_;
  bool constant_ = false;
  std::string target_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

class HttpOutput final : public Output {
 public:
  explicit HttpOutput(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    setup_.emplace(setup);
    client_ = TRY(io::HttpClient::make(settings_.http));
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<HttpPacker>(settings_); }

  /// The body as it was; URL and headers as they are configured now, unless they depend on the event.
  bool put_back(const Refused& refused, Parcel& into) const override {
    std::string target(settings_.url.is_literal() || refused.to.empty() ? literal_of(settings_.url) : refused.to);
    for (const auto& [name, value] : settings_.headers)
      if (value.is_literal()) target += fmt::format("\n{}: {}", name, without_controls(literal_of(value)));
    const std::size_t begin = into.bytes.size();
    into.bytes += refused.event;
    into.pieces.push_back({begin, into.bytes.size(), into.target(target), refused.events});
    into.events += refused.events;
    return true;
  }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    // Each request waits for its answer: several at once, as the original does it, so their order is not kept.
    constexpr unsigned kAtOnce = 8;
    TRY(cloud::in_parallel(kAtOnce, parcel.pieces.size(), [&](unsigned, std::uint64_t i) -> Result<void> {
      const auto& piece = parcel.pieces[i];
      return send(parcel.targets[piece.target],
                  std::string_view(parcel.bytes).substr(piece.begin, piece.end - piece.begin), piece.events);
    }));
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  Result<void> send(std::string_view target, std::string_view body, std::uint32_t events) const {
    std::string packed;
    const io::HttpRequest request = request_for(target, body, packed);
    io::Patience patience(setup_->stopping, std::chrono::milliseconds(500), std::chrono::seconds(60));
    bool troubled = false;
    for (;;) {
      const auto response = client_->send(request);
      if (response && is_done(response->status)) break;
      const std::string why = response ? fmt::format("answered {}: {}", response->status, response->body.substr(0, 300))
                                       : response.error().text();
      const bool retryable =
          response ? settings_.retryable.contains(response->status)
                   : response.error().fault() != Fault::invalid && response.error().fault() != Fault::unsupported;
      if (!settings_.retry_failed || !retryable) {
        setup_->log.count("events_refused", 1);
        return setup_->dead_letters.add("http", {fmt::format("{}: {}", request.url, why), body, request.url, events});
      }
      setup_->log.trouble(setup_->id, fmt::format("{}: {}", request.url, why));
      troubled = true;
      if (!patience.wait()) return Error{Fault::busy, "{}: the program stops", request.url};
    }
    if (troubled) setup_->log.resolved(setup_->id);
    return {};
  }

  bool is_done(int status) const { return (status >= 200 && status < 300) || settings_.ignorable.contains(status); }

  io::HttpRequest request_for(std::string_view target, std::string_view body, std::string& packed) const {
    io::HttpRequest request;
    request.method = settings_.method;
    request.url = target.substr(0, target.find('\n'));
    target.remove_prefix(request.url.size());
    while (!target.empty()) {
      target.remove_prefix(1);
      const std::string_view line = target.substr(0, target.find('\n'));
      const std::size_t colon = line.find(": ");
      request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
      target.remove_prefix(line.size());
    }
    if (settings_.method == "GET" || settings_.method == "HEAD") return request;
    request.body = body;
    if (settings_.compressed) {
      Deflater(Deflater::Form::gzip, kGzipLevel).append(body, packed);
      request.body = packed;
      request.headers.emplace_back("Content-Encoding", "gzip");
    }
    return request;
  }

  const Settings settings_;
  std::optional<OutputSetup> setup_;
  std::unique_ptr<io::HttpClient> client_;
  std::uint64_t last_ = 0;
};

class Maker {
 public:
  explicit Maker(logstash::PluginOptions& options) : options_(options) {}

  std::unique_ptr<Output> make() {
    read_url();
    read_format();
    settings_.retry_failed = options_.boolean("retry_failed", true);
    settings_.compressed = options_.boolean("http_compression", false);
    settings_.retryable = codes("retryable_codes", {"429", "500", "502", "503", "504"});
    settings_.ignorable = codes("ignorable_codes", {});
    settings_.http.transfer_within = std::chrono::seconds(options_.number("request_timeout", 60, 1, 3600));
    if (options_.failed()) return nullptr;
    return std::make_unique<HttpOutput>(std::move(settings_));
  }

 private:
  void read_url() {
    constexpr std::string_view kMethods[] = {"put", "post", "patch", "delete", "get", "head"};
    const std::string url = options_.text("url");
    settings_.url = options_.as_reference("url", url);
    if (!options_.has("url")) options_.mistake("url", "is wanted: url => \"https://HOST/PATH\"");
    if (!options_.has("http_method")) options_.mistake("http_method", "is wanted: http_method => \"post\"");
    settings_.method = options_.choice("http_method", kMethods, "post");
    for (char& c : settings_.method) c = static_cast<char>(c - 'a' + 'A');
    const bool https = url.starts_with("https://");
    if (!url.empty() && !https && !url.starts_with("http://"))
      options_.mistake("url", "a URL begins with https:// or http://");
    const std::string_view literal = std::string_view(url).substr(0, url.find("%{"));
    const std::size_t slashes = literal.find("//");
    if (literal.size() < url.size() && slashes != std::string_view::npos &&
        literal.find('/', slashes + 2) == std::string_view::npos)
      options_.warning("url", "what events say decides which host they are sent to");
    std::string auth = read_basic_auth(options_);
    if (!auth.empty()) settings_.headers.emplace_back("Authorization", options_.as_reference("user", auth));
    settings_.http = read_http_options(options_, https);
  }

  void read_format() {
    constexpr std::string_view kFormats[] = {"json", "json_batch", "form", "message"};
    constexpr std::string_view kTypes[] = {"application/json", "application/json", "application/x-www-form-urlencoded",
                                           "text/plain"};
    const std::string format = options_.choice("format", kFormats, "json");
    const auto at = static_cast<std::size_t>(std::ranges::find(kFormats, format) - std::begin(kFormats));
    settings_.format = static_cast<Format>(at);
    settings_.message = options_.reference("message", "");
    if (settings_.format == Format::message && !options_.has("message"))
      options_.mistake("message", "format => message needs it: the text of each request");
    bool typed = false;
    for (const auto& [name, value] : options_.pairs("headers")) {
      std::string lower = name;
      for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      typed = typed || lower == "content-type";
      if (name.empty() || name != without_controls(name) || name.find_first_of(": ") != std::string::npos)
        options_.mistake("headers", fmt::format("\"{}\" is no name of a header", name));
      settings_.headers.emplace_back(name, options_.as_reference("headers", value));
    }
    const std::string type = options_.text("content_type", kTypes[at]);
    if (!typed) settings_.headers.emplace_back("Content-Type", options_.as_reference("content_type", type));
    for (const auto& [name, value] : options_.pairs("mapping"))
      settings_.mapping.emplace_back(name, options_.as_reference("mapping", value));
  }

  std::set<std::int64_t> codes(std::string_view name, std::vector<std::string> otherwise) {
    std::set<std::int64_t> all;
    for (const auto& text : options_.texts(name, std::move(otherwise))) {
      const auto number = text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
      if (!number) {
        options_.mistake(name, fmt::format("\"{}\" is no status of HTTP", text));
        continue;
      }
      all.insert((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    }
    return all;
  }

  logstash::PluginOptions& options_;
  Settings settings_;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  const CodecChoice codec(options, "plain", world);
  return Maker(options).make();
}

}  // namespace

extern const OutputPlugin output_http;
const OutputPlugin output_http = {"http", "Sends events to a web server.", make};

}  // namespace enclave::pipeline
