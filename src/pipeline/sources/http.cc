#include <deque>
#include <mutex>

#include "base/encoding.h"
#include "io/host.h"
#include "io/http_server.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/peer_sources.h"
#include "pipeline/source_kit.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Value;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kFinishCalls = 400;
constexpr Nanoseconds kFinishNap = std::chrono::milliseconds(5);
constexpr std::size_t kRequestBytes = 512;  ///< what a request without a body counts for a budget

struct Answer {
  unsigned status = 200;
  io::HttpServer::Headers headers;
};

/// JSON members that say what was asked, and by whom.
std::string fields_of(const io::HttpServerRequest& request) {
  std::string out = peer_fields({request.address, request.port, "", 0}) + R"(,"http":{"method":)";
  const auto add = [&out](std::string_view text) { append_json(Value::of(text), out); };
  add(request.method);
  out += R"(,"path":)";
  add(request.target);
  out += R"(,"version":)";
  add(request.version);
  out += R"(,"headers":{)";
  for (const auto& [name, value] : request.headers) {
    std::string lower;
    for (const char c : name) lower += c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!out.ends_with('{')) out += ',';
    add(lower);
    out += ':';
    // Who asks must not read here what he proved himself with.
    add(lower == "authorization" ? std::string_view("hidden") : std::string_view(value));
  }
  return out + "}}";
}

/// Each request is an event; it is answered when the event is safe.
class HttpInput final : public Input {
 public:
  HttpInput(std::unique_ptr<io::HttpServer> server, const Answer& answer, std::uint16_t port, const SourceSetup& setup)
      : server_(std::move(server)),
        answer_(answer),
        world_(setup.world),
        log_(setup.log),
        sources_("http", std::to_string(port), setup.positions) {}

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    for (auto& request : server_->take()) waiting_.push_back(std::move(request));
    std::size_t bytes = 0;
    while (!waiting_.empty() && bytes < budget) {
      io::HttpServerRequest request = std::move(waiting_.front());
      waiting_.pop_front();
      bytes += request.body.size() + kRequestBytes;
      add(request, batch);
    }
    if (!batch.empty()) ++given_;
    return waiting_.empty() ? Polled::idle : Polled::more;
  }

  // What was given out must be answered, or whoever asked sends it again.
  Result<Polled> finish(event::Batch& /*batch*/, std::size_t /*budget*/) override {
    if (unanswered_.empty() || ++finish_calls_ > kFinishCalls) return Polled::end;
    if (auto nap = io::Waiter::make()) (void)nap->wait({}, kFinishNap);
    return Polled::more;
  }

  void committed(const event::Batch& /*batch*/) override {
    ++committed_;
    while (!unanswered_.empty() && unanswered_.front().second <= committed_) {
      server_->respond(unanswered_.front().first, answer_.status, answer_.headers, "ok");
      unanswered_.pop_front();
    }
  }
  std::vector<int> descriptors() const override { return {server_->descriptor()}; }
  std::int64_t next_poll_boot_ns() const override { return world_.clock.boot_ns() + (waiting_.empty() ? kSecond : 0); }

 private:
  void add(const io::HttpServerRequest& request, event::Batch& batch) {
    for (const auto& [name, value] : request.headers)
      if (name.size() == 16 && (name == "Content-Encoding" || name == "content-encoding") && value != "identity") {
        log_.count("requests_refused", 1);
        return server_->respond(request.id, 415, {}, "send the body as it is: it is not unpacked here\n");
      }
    PeerSources::Adding adding(batch, sources_.of(request.address));
    adding.add(batch.store(request.body), event::Eol::none, batch.store(fields_of(request)));
    unanswered_.emplace_back(request.id, given_ + 1);
  }

  std::unique_ptr<io::HttpServer> server_;
  const Answer& answer_;
  World world_;
  InputLog& log_;
  PeerSources sources_;
  std::deque<io::HttpServerRequest> waiting_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> unanswered_;  ///< request, and the batch that it waits for
  std::uint64_t given_ = 0, committed_ = 0;
  int finish_calls_ = 0;
};

/// A codec for one type of content; made once for each thread that asks.
class TypedCodec {
 public:
  TypedCodec(std::string type, const std::string& codec, const FilterWorld& world, logstash::PluginOptions& options)
      : type_(std::move(type)) {
    Diagnostics diagnostics;
    parse_config("input { http { codec => \"" + codec + "\" } }\n", "additional_codecs", {}, configuration_,
                 diagnostics);
    const auto* const plugin =
        configuration_.inputs.empty() ? nullptr : std::get_if<logstash::Plugin>(&configuration_.inputs[0]);
    if (plugin == nullptr) {
      options.mistake("additional_codecs", "\"" + codec + "\" is not the name of a codec");
      return;
    }
    logstash::PluginOptions own(configuration_, *plugin, diagnostics);
    choice_ = CodecChoice(own, codec, world);
    if (!choice_) options.mistake("additional_codecs", "there is no codec \"" + codec + "\"");
  }
  const std::string& type() const { return type_; }

  void decode(std::string_view body, event::Arena& arena, FilterRun& run, std::vector<Document>& into) {
    auto codec = take();
    codec->decode(body, arena, run, into);
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(codec));
  }

 private:
  std::unique_ptr<Codec> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return choice_.make();
    auto codec = std::move(spare_.back());
    spare_.pop_back();
    return codec;
  }

  const std::string type_;
  logstash::Configuration configuration_;
  CodecChoice choice_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Codec>> spare_;
};

struct Settings {
  io::HttpServerOptions server;
  Answer answer;
  std::vector<std::unique_ptr<TypedCodec>> codecs;
  std::string host_field, headers_field;
  bool ecs = true;
};

class Http final : public Source {
 public:
  explicit Http(Settings settings)
      : settings_(std::move(settings)),
        host_(settings_.host_field),
        headers_(settings_.headers_field),
        method_(settings_.ecs ? "[http][method]" : ""),
        version_(settings_.ecs ? "[http][version]" : ""),
        path_(settings_.ecs ? "[url][path]" : ""),
        agent_(settings_.ecs ? "[user_agent][original]" : ""),
        type_(settings_.ecs ? "[http][request][mime_type]" : ""),
        size_(settings_.ecs ? "[http][request][body][bytes]" : ""),
        original_(settings_.ecs) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    auto server = TRY(io::HttpServer::open(settings_.server, setup.world.files));
    return std::unique_ptr<Input>(
        std::make_unique<HttpInput>(std::move(server), settings_.answer, settings_.server.port, setup));
  }

  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& codec, FilterRun& run,
            std::vector<Document>& into) const override {
    const std::size_t before = into.size();
    const auto read = run.json.read(std::string("{").append(from.fields).append("}"), arena);
    const Value* const http = read ? read->find("http") : nullptr;
    const Value* const headers = http == nullptr ? nullptr : http->find("headers");
    const std::string_view type = mime_type(headers);
    TypedCodec* const own = codec_for(type);
    if (own != nullptr) {
      own->decode(from.raw, arena, run, into);
    } else {
      codec.decode(from.raw, arena, run, into);
    }
    for (std::size_t i = before; i < into.size(); ++i) {
      describe(batch, from, into[i]);
      if (headers != nullptr) describe_request(*http, *headers, type, from, into[i]);
    }
  }

  bool awaited() const override { return true; }

  void describe(const event::Batch& /*batch*/, const event::Event& from, Document& into) const override {
    host_.fill(into, Value::of(peer_of(from.fields).address));
    original_.fill(from, into);
  }

 private:
  static std::string_view text_of(const Value* value) {
    return value != nullptr && value->is(event::Kind::text) ? value->text() : std::string_view();
  }

  /// "application/json; charset=utf-8" → "application/json"
  static std::string_view mime_type(const Value* headers) {
    std::string_view type = headers == nullptr ? "" : text_of(headers->find("content_type"));
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return type;
  }

  TypedCodec* codec_for(std::string_view type) const {
    for (const auto& codec : settings_.codecs)
      if (codec->type() == type) return codec.get();
    return nullptr;
  }

  void describe_request(const Value& http, const Value& headers, std::string_view type, const event::Event& from,
                        Document& into) const {
    event::Arena& arena = into.arena();
    const Value all = Value::map(arena, 16);
    for (const event::Member& member : headers.members()) {
      const bool plain = member.name.starts_with("content_");
      all.set(arena, plain ? member.name : arena.store("http_" + std::string(member.name)), member.value);
    }
    const Value method = *http.find("method"), path = *http.find("path"), version = *http.find("version");
    all.set(arena, "request_method", method);
    all.set(arena, "request_path", path);
    all.set(arena, "http_version", version);
    headers_.fill(into, all);
    method_.fill(into, method);
    version_.fill(into, version);
    path_.fill(into, path);
    if (const auto agent = text_of(headers.find("user_agent")); !agent.empty()) agent_.fill(into, Value::of(agent));
    if (!type.empty()) type_.fill(into, Value::of(type));
    size_.fill(into, Value::of(static_cast<std::int64_t>(from.raw.size())));
  }

  const Settings settings_;
  const KnownField host_, headers_, method_, version_, path_, agent_, type_, size_;
  const Original original_;
};

void read_answer(logstash::PluginOptions& options, Answer& answer) {
  const std::int64_t status = options.number("response_code", 200, 200, 204);
  if (status == 203) options.mistake("response_code", "one of 200, 201, 202, 204");
  answer.status = static_cast<unsigned>(status);
  for (auto& [name, value] : options.pairs("response_headers")) answer.headers.emplace_back(name, value);
  if (answer.headers.empty()) answer.headers.emplace_back("Content-Type", "text/plain");
}

void read_user(logstash::PluginOptions& options, io::HttpServerOptions& server) {
  const auto user = options.text_if_set("user"), password = options.text_if_set("password");
  if (user.has_value() != password.has_value()) options.mistake("user", "user and password go together");
  if (user && password) server.authorization = "Basic " + to_base64(*user + ":" + *password);
}

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::int64_t kBodyDefault = 100 << 20, kBodyMost = 1 << 30;
  Settings settings;
  settings.ecs = reads_ecs(options, world);
  settings.server.host = options.text("host", "0.0.0.0");
  settings.server.port = static_cast<std::uint16_t>(options.number("port", 8080, 1, 65'535));
  settings.server.body_bytes_max =
      static_cast<std::size_t>(options.number("max_content_length", kBodyDefault, 1, kBodyMost));
  settings.host_field = options.field("remote_host_target_field", settings.ecs ? "[host][ip]" : "host").text();
  settings.headers_field = options
                               .field("request_headers_target_field",
                                      settings.ecs ? "[@metadata][input][http][request][headers]" : "headers")
                               .text();
  read_answer(options, settings.answer);
  read_user(options, settings.server);
  auto codecs = options.pairs("additional_codecs");
  if (!options.has("additional_codecs")) codecs.emplace_back("application/json", "json");
  for (const auto& [type, codec] : codecs)
    settings.codecs.push_back(std::make_unique<TypedCodec>(type, codec, world, options));
  const TlsOptions tls = read_tls_options(options, TlsOptions::Side::server);
  if (tls.enabled) settings.server.tls = tls.server();
  accept_silently(options, {"threads", "max_pending_requests"});
  if (options.failed()) return nullptr;
  return std::make_unique<Http>(std::move(settings));
}

}  // namespace

extern const SourcePlugin source_http;
const SourcePlugin source_http = {"http", "The bodies of HTTP requests, answered when they are safe.", "plain", make};

}  // namespace enclave::pipeline
