#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"
#include "pipeline/stream_server.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Lines of connections of the file system.
class Unix final : public Source {
 public:
  Unix(StreamOptions options, bool ecs, std::string host)
      : options_(std::move(options)),
        host_field_(ecs ? "[host][name]" : "host"),
        path_field_(ecs ? "[file][path]" : "path"),
        original_(ecs),
        host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    const auto sources = std::make_shared<PeerSources>("unix", options_.unix_path, setup.positions);
    return std::unique_ptr<Input>(TRY(StreamServer::open(options_, setup.world, setup.log, sources)));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& from, event::Document& into) const override {
    host_field_.fill(into, Value::of(host_));
    path_field_.fill(into, Value::of(options_.unix_path));
    original_.fill(from, into);
  }

 private:
  const StreamOptions options_;
  const KnownField host_field_, path_field_;
  const Original original_;
  const std::string host_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"server", "client"};
  constexpr std::int64_t kDay = 86'400;
  const bool ecs = reads_ecs(options, world);
  StreamOptions stream;
  stream.delimiter = line_delimiter(options);
  stream.kind = "unix";
  stream.unix_path = options.text("path");
  if (stream.unix_path.empty()) options.mistake("path", "the path of the socket is wanted: path => \"/run/app.sock\"");
  stream.connects = options.choice("mode", kModes, "server") == "client";
  stream.unlink_first = options.boolean("force_unlink", false);
  const std::int64_t timeout = options.number("data_timeout", -1, -1, kDay);
  if (timeout > 0) stream.idle = std::chrono::seconds(timeout);
  stream.retry = std::chrono::seconds(options.number("socket_not_present_retry_interval_seconds", 5, 1, kDay));
  if (options.failed()) return nullptr;
  return std::make_unique<Unix>(std::move(stream), ecs, host_name(world.files));
}

}  // namespace

extern const SourcePlugin source_unix;
const SourcePlugin source_unix = {"unix", "Lines of a socket of the file system.", "line", make};

}  // namespace enclave::pipeline
