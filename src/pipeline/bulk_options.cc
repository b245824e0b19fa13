#include "pipeline/bulk_options.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "pipeline/http_options.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using logstash::PluginOptions;

/// Of a plugin that sends to a data stream only these are set; any other means indices.
constexpr std::string_view kNotOfStreams[] = {"index",           "document_id",
                                              "document_type",   "template",
                                              "template_name",   "template_overwrite",
                                              "ilm_enabled",     "ilm_rollover_alias",
                                              "ilm_pattern",     "ilm_policy",
                                              "version",         "version_type",
                                              "doc_as_upsert",   "upsert",
                                              "script",          "join_field",
                                              "parent",          "retry_on_conflict",
                                              "scripted_upsert", "routing"};

class Reader {
 public:
  Reader(PluginOptions& options, const FilterWorld& world, BulkServer server)
      : options_(options), world_(world), server_(server) {}

  std::optional<BulkOptions> read() {
    out_.plugin = server_ == BulkServer::opensearch ? "opensearch" : "elasticsearch";
    refuse();
    read_hosts();
    read_access();
    read_actions();
    read_pace();
    know_the_rest();
    if (options_.failed()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void refuse() {
    for (const auto name : {"cloud_id", "cloud_auth"}) {
      if (options_.has(name))
        options_.mistake(name,
                         "is not offered; give hosts => [\"https://NAME:PORT\"] of the deployment, and api_key or "
                         "user and password");
      (void)options_.text(name);
    }
    for (const auto name : {"script", "script_type", "script_lang", "script_var_name", "scripted_upsert", "upsert",
                            "join_field", "parent"}) {
      if (options_.has(name)) options_.mistake(name, "is not offered");
      (void)options_.text(name);
    }
    if (options_.boolean("sniffing", false))
      options_.mistake("sniffing", "is not offered; name all hosts that may be asked");
    (void)options_.text("sniffing_delay");
    (void)options_.text("sniffing_path");
    if (server_ == BulkServer::opensearch) {
      const auto pairs = options_.pairs("auth_type");
      for (const auto& [name, value] : pairs) {
        if (name == "type" && value != "basic")
          options_.mistake("auth_type", fmt::format("\"{}\" is not offered; basic is", value));
        if (name == "user") user_ = value;
        if (name == "password") password_ = value;
      }
    }
  }

  void read_hosts() {
    auto hosts = options_.texts("hosts", {"127.0.0.1"});
    if (hosts.empty()) options_.mistake("hosts", "at least one is wanted");
    const bool ssl = options_.boolean("ssl_enabled", false) || options_.boolean("ssl", false);
    const std::string path = options_.text("path");
    const std::string bulk_path = options_.text("bulk_path", fmt::format("{}/_bulk", path == "/" ? "" : path));
    std::string query = server_ == BulkServer::elasticsearch || !options_.has("bulk_path")
                            ? "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
                            : "";
    for (const auto& [name, value] : options_.pairs("parameters"))
      query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, value);
    bool plain = false, https = false;
    for (const auto& host : hosts) {
      const auto url = parse_http_url(host, ssl);
      if (!url) {
        options_.mistake("hosts", url.error().text());
        continue;
      }
      (url->https ? https : plain) = true;
      if (!url->user.empty()) user_ = url->user, password_ = url->password;
      const std::string base = url->path.empty() || url->path == "/" ? "" : url->path;
      out_.urls.push_back(
          fmt::format("{}://{}:{}{}{}{}{}", url->https ? "https" : "http", url->host,
                      url->port.empty() ? "9200" : url->port, base, bulk_path.starts_with('/') ? "" : "/", bulk_path,
                      query.empty() ? "" : (bulk_path.find('?') == std::string::npos ? "?" : "&") + query));
    }
    if (plain && https) options_.mistake("hosts", "all of them speak TLS, or none");
    out_.http = read_http_options(options_, https);
    out_.http.transfer_within = std::chrono::seconds(options_.number("timeout", 60, 1, 3600));
  }

  void read_access() {
    std::string basic = read_basic_auth(options_);
    if (basic.empty() && !user_.empty()) basic = basic_auth(user_, password_);
    const std::string key = options_.text("api_key");
    if (!basic.empty() && !key.empty())
      options_.mistake("api_key", "user and password are given too; keep one of them");
    if (!basic.empty()) out_.headers.emplace_back("Authorization", basic);
    // "id:key", or the two in base 64 already.
    if (!key.empty())
      out_.headers.emplace_back("Authorization",
                                "ApiKey " + (key.find(':') == std::string::npos ? key : to_base64(key)));
    for (const auto& [name, value] : options_.pairs("custom_headers")) out_.headers.emplace_back(name, value);
  }

  bool wants_stream() {
    constexpr std::string_view kWords[] = {"auto", "true", "false"};
    const std::string word = options_.choice("data_stream", kWords, "auto");
    std::string_view other;
    for (const auto name : kNotOfStreams)
      if (options_.has(name) && name != "routing") other = name;
    const bool action = options_.has("action") && options_.text("action") != "create";
    if (action) other = "action";
    const bool named = options_.has("data_stream_type") || options_.has("data_stream_dataset") ||
                       options_.has("data_stream_namespace");
    if (word == "true" && !other.empty())
      options_.mistake(other, "has no meaning for a data stream; remove it, or say data_stream => false");
    if (word == "false" && named) options_.mistake("data_stream", "is false, and other data_stream_ options are set");
    if (word != "auto") return word == "true";
    if (named && !other.empty())
      options_.mistake(other, "stands beside data_stream_ options; say data_stream => true or false");
    return other.empty() && world_.ecs_compatibility != "disabled" && server_ == BulkServer::elasticsearch;
  }

  void read_actions() {
    BulkActions& actions = out_.actions;
    const std::string mode = options_.text("ecs_compatibility", world_.ecs_compatibility);
    const bool stream = wants_stream();
    BulkDataStream names;
    names.type = options_.text("data_stream_type", names.type);
    names.dataset = options_.text("data_stream_dataset", names.dataset);
    names.name_space = options_.text("data_stream_namespace", names.name_space);
    names.from_event = options_.boolean("data_stream_auto_routing", true);
    names.sync_fields = options_.boolean("data_stream_sync_fields", true);
    if (stream) actions.stream = names;
    std::string index =
        options_.text("index", mode == "disabled" ? "logstash-%{+yyyy.MM.dd}" : "ecs-logstash-%{+yyyy.MM.dd}");
    const std::string alias = options_.text("ilm_rollover_alias");
    if (!alias.empty() && options_.text("ilm_enabled", "auto") != "false") {
      index = alias;
      options_.warning("ilm_rollover_alias",
                       "events go to this alias; it and its policy must be there: neither is made");
    }
    actions.index = options_.as_reference("index", index);
    actions.action = options_.reference("action", "index");
    const auto optional = [&](std::string_view name, std::optional<logstash::TextReference>& into) {
      auto reference = options_.reference(name, "");
      if (options_.has(name)) into = std::move(reference);
    };
    optional("document_id", actions.id);
    optional("routing", actions.routing);
    optional("pipeline", actions.pipeline);
    optional("version", actions.version);
    constexpr std::string_view kTypes[] = {"internal", "external", "external_gt", "external_gte", "force"};
    if (options_.has("version_type")) actions.version_type = options_.choice("version_type", kTypes, "external");
    actions.retry_on_conflict = options_.number("retry_on_conflict", 1, 0, 1000);
    actions.doc_as_upsert = options_.boolean("doc_as_upsert", false);
    const std::string action = options_.text("action", "index");
    if ((action == "update" || action == "delete") && !actions.id)
      options_.mistake("action", fmt::format("{} needs a document_id", action));
    if (action.find("%{") == std::string::npos && action != "index" && action != "create" && action != "update" &&
        action != "delete")
      options_.mistake("action", fmt::format("\"{}\" is not one of index, create, update, delete", action));
  }

  void read_pace() {
    const auto seconds = [](std::int64_t number) {
      return number > 0 ? Nanoseconds(std::chrono::seconds(number)) : Nanoseconds(std::chrono::milliseconds(20));
    };
    out_.retry_first = seconds(options_.number("retry_initial_interval", 2, 0, 3600));
    out_.retry_most = std::max(out_.retry_first, seconds(options_.number("retry_max_interval", 64, 0, 86'400)));
    // Newer versions give a level, older ones a switch.
    const bool old = options_.boolean("http_compression", false);
    out_.compression_level = static_cast<int>(options_.number("compression_level", old ? 6 : 0, 0, 9));
  }

  void know_the_rest() {
    if (options_.has("document_type"))
      options_.warning("document_type", "has no effect: servers since version 7 know no types");
    if (options_.has("template"))
      options_.warning("template", "templates are not sent; put this one into the cluster once");
    for (const auto name : {"document_type",
                            "template",
                            "template_name",
                            "template_overwrite",
                            "template_api",
                            "manage_template",
                            "ilm_enabled",
                            "ilm_pattern",
                            "ilm_policy",
                            "healthcheck_path",
                            "resurrect_delay",
                            "default_server_major_version",
                            "failure_type_logging_whitelist",
                            "silence_errors_in_log",
                            "dlq_custom_codes",
                            "dlq_on_failed_indexname_interpolation",
                            "drop_error_types",
                            "legacy_template",
                            "distribution_checker",
                            "target_bulk_bytes"})
      (void)options_.texts(name);
  }

  PluginOptions& options_;
  const FilterWorld& world_;
  const BulkServer server_;
  BulkOptions out_;
  std::string user_, password_;
};

}  // namespace

std::optional<BulkOptions> read_bulk_options(PluginOptions& options, const FilterWorld& world, BulkServer server) {
  return Reader(options, world, server).read();
}

}  // namespace enclave::pipeline
