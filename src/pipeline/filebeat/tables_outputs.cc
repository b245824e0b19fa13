#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::string_view kVerification[] = {"full", "strict", "certificate", "none"};
constexpr std::string_view kProtocols[] = {"http", "https"};
constexpr std::string_view kRenegotiation[] = {"never", "once", "freely"};
constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error", "critical"};

Slots tls_slots(Tls& tls) {
  return {{"enabled", &tls.enabled},
          {"verification_mode", &tls.verification_mode, {.words = kVerification}},
          {"certificate_authorities", &tls.certificate_authorities},
          {"certificate", &tls.certificate},
          {"key", &tls.key},
          {"key_passphrase", &tls.key_passphrase},
          {"supported_protocols", &tls.supported_protocols},
          {"cipher_suites", &tls.cipher_suites},
          {"curve_types", &tls.curve_types},
          {"renegotiation", &tls.renegotiation, {.words = kRenegotiation}},
          {"ca_sha256", &tls.ca_sha256, {.first = 7}},
          {"ca_trusted_fingerprint", &tls.ca_trusted_fingerprint, {.first = 7}}};
}

Slots logstash_slots(LogstashOutput& out) {
  Slots slots = {{"hosts", &out.hosts},
                 {"loadbalance", &out.loadbalance},
                 {"worker", &out.workers, {.least = 1}},
                 {"workers", &out.workers, {.least = 1}},
                 {"bulk_max_size", &out.bulk_max_size},
                 {"compression_level", &out.compression_level, {.most = 9}},
                 {"pipelining", &out.pipelining},
                 {"ttl", &out.ttl},
                 {"timeout", &out.timeout},
                 {"max_retries", &out.max_retries, {.least = -1}},
                 {"slow_start", &out.slow_start},
                 {"backoff.init", &out.backoff_init},
                 {"backoff.max", &out.backoff_max},
                 {"index", &out.index},
                 {"escape_html", &out.escape_html},
                 {"proxy_url", &out.proxy_url},
                 {"proxy_use_local_resolver", &out.proxy_use_local_resolver}};
  append(slots, "ssl.", tls_slots(out.ssl));
  return slots;
}

Slots elasticsearch_slots(ElasticsearchOutput& out) {
  Slots slots = {{"hosts", &out.hosts},
                 {"protocol", &out.protocol, {.words = kProtocols}},
                 {"path", &out.path},
                 {"username", &out.username},
                 {"password", &out.password},
                 {"api_key", &out.api_key, {.first = 7}},
                 {"index", &out.index},
                 {"indices", &out.indices},
                 {"pipeline", &out.pipeline},
                 {"pipelines", &out.pipelines},
                 {"headers", &out.headers},
                 {"parameters", &out.parameters},
                 {"proxy_url", &out.proxy_url},
                 {"proxy_disable", &out.proxy_disable},
                 {"loadbalance", &out.loadbalance},
                 {"escape_html", &out.escape_html},
                 {"worker", &out.workers, {.least = 1}},
                 {"workers", &out.workers, {.least = 1}},
                 {"bulk_max_size", &out.bulk_max_size},
                 {"compression_level", &out.compression_level, {.most = 9}},
                 {"max_retries", &out.max_retries, {.least = -1}},
                 {"timeout", &out.timeout},
                 {"backoff.init", &out.backoff_init},
                 {"backoff.max", &out.backoff_max},
                 {"allow_older_versions", &out.allow_older_versions, {.first = 8}}};
  append(slots, "ssl.", tls_slots(out.ssl));
  return slots;
}

}  // namespace

Slots output_slots(Config& config, std::string_view kind) {
  if (kind == "logstash") return logstash_slots(config.logstash);
  if (kind == "elasticsearch") return elasticsearch_slots(config.elasticsearch);
  if (kind == "console") return {{"pretty", &config.console.pretty}, {"codec", &config.console.codec}};
  FileOutput& out = config.file;
  return {{"path", &out.path},
          {"filename", &out.filename},
          {"rotate_every_kb", &out.rotate_every_kb, {.least = 1}},
          {"number_of_files", &out.number_of_files, {.least = 2, .most = 1024}},
          {"permissions", &out.permissions},
          {"rotate_on_startup", &out.rotate_on_startup, {.first = 7}},
          {"codec", &out.codec}};
}

Slots general_slots(Config& config) {
  Logging& log = config.logging;
  return {{"name", &config.name},
          {"tags", &config.tags},
          {"fields", &config.fields},
          {"fields_under_root", &config.fields_under_root},
          {"queue.mem.events", &config.queue.events, {.least = 1}},
          {"queue.mem.flush.min_events", &config.queue.flush_min_events},
          {"queue.mem.flush.timeout", &config.queue.flush_timeout},
          {"logging.level", &log.level, {.words = kLevels}},
          {"logging.to_files", &log.to_files},
          {"logging.to_stderr", &log.to_stderr},
          {"logging.to_syslog", &log.to_syslog},
          {"logging.json", &log.json, {.last = 7}},
          {"logging.selectors", &log.selectors},
          {"logging.metrics.enabled", &log.metrics},
          {"logging.metrics.period", &log.metrics_period},
          {"logging.files.path", &log.path},
          {"logging.files.name", &log.name},
          {"logging.files.rotateeverybytes", &log.rotateeverybytes, {.least = 1}},
          {"logging.files.keepfiles", &log.keepfiles, {.least = 2, .most = 1024}},
          {"logging.files.permissions", &log.permissions},
          {"logging.files.interval", &log.interval},
          {"logging.files.rotateonstartup", &log.rotateonstartup},
          {"http.enabled", &config.http.enabled},
          {"http.host", &config.http.host},
          {"http.port", &config.http.port, {.least = 1, .most = 65'535}}};
}

Slots filebeat_slots(Config& config) {
  return {{"filebeat.shutdown_timeout", &config.shutdown_timeout},
          {"filebeat.registry.path", &config.registry.path, {.first = 7, .instead = "filebeat.registry_file"}},
          {"filebeat.registry.file_permissions", &config.registry.file_permissions, {.first = 7}},
          {"filebeat.registry.flush", &config.registry.flush, {.first = 7}},
          {"filebeat.registry.migrate_file", &config.registry.migrate_file, {.first = 7}},
          {"filebeat.registry_file", &config.registry.path, {.last = 6, .instead = "filebeat.registry.path"}},
          {"filebeat.registry_file_permissions",
           &config.registry.file_permissions,
           {.last = 6, .instead = "filebeat.registry.file_permissions"}},
          {"filebeat.registry_flush", &config.registry.flush, {.last = 6, .instead = "filebeat.registry.flush"}}};
}

Config default_config(int generation) {
  Config out;
  out.generation = generation;
  if (generation >= 8) {
    out.elasticsearch.bulk_max_size = 1600;
    out.elasticsearch.compression_level = 1;
    return out;
  }
  out.queue = {4096, 2048, 1s};
  out.registry.flush = Nanoseconds(0);
  out.logging.json = false;
  return out;
}

}  // namespace enclave::pipeline::filebeat
