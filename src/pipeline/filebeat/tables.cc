#include "pipeline/filebeat/tables.h"

#include <array>

#include "pipeline/filebeat/encodings.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::string_view kMultilineTypes[] = {"pattern", "count", "while_pattern"};
constexpr std::string_view kMatches[] = {"after", "before"};
constexpr std::string_view kStreams[] = {"all", "stdout", "stderr"};
constexpr std::string_view kFormats[] = {"auto", "docker", "cri"};
constexpr std::string_view kSyslogFormats[] = {"auto", "rfc3164", "rfc5424"};
constexpr std::string_view kScanOrders[] = {"asc", "desc"};
constexpr std::string_view kScanSorts[] = {"", "modtime", "filename"};
constexpr std::string_view kInactive[] = {"since_first_start", "since_last_start"};
constexpr std::string_view kTerminators[] = {"auto",           "line_feed",       "vertical_tab",
                                             "form_feed",      "carriage_return", "carriage_return_line_feed",
                                             "next_line",      "line_separator",  "paragraph_separator",
                                             "null_terminator"};
constexpr std::string_view kCompressions[] = {"", "none", "gzip", "auto"};
constexpr std::string_view kFramings[] = {"delimiter", "rfc6587"};
constexpr std::string_view kSeeks[] = {"head", "tail", "cursor", "since"};
Slots json_slots(Json& json) {
  return {{"message_key", &json.message_key},
          {"keys_under_root", &json.keys_under_root},
          {"overwrite_keys", &json.overwrite_keys},
          {"expand_keys", &json.expand_keys, {.first = 7}},
          {"add_error_key", &json.add_error_key},
          {"ignore_decoding_error", &json.ignore_decoding_error},
          {"document_id", &json.document_id, {.first = 7}}};
}

Slots syslog_slots(SyslogFormat& syslog) {
  return {{"format", &syslog.format, {.words = kSyslogFormats, .first = 7}},
          {"timezone", &syslog.timezone, {.first = 7}},
          {"log_errors", &syslog.log_errors, {.first = 7}},
          {"add_error_key", &syslog.add_error_key, {.first = 7}}};
}

Slots log_slots(LogOptions& log) {
  Slots out = {{"paths", &log.paths},
               {"exclude_files", &log.exclude_files},
               {"exclude_lines", &log.exclude_lines},
               {"include_lines", &log.include_lines},
               {"encoding", &log.encoding, {.words = encoding_names()}},
               {"scan_frequency", &log.scan_frequency},
               {"ignore_older", &log.ignore_older},
               {"clean_inactive", &log.clean_inactive},
               {"clean_removed", &log.clean_removed},
               {"close_inactive", &log.close_inactive},
               {"close_removed", &log.close_removed},
               {"close_renamed", &log.close_renamed},
               {"close_eof", &log.close_eof},
               {"close_timeout", &log.close_timeout},
               {"backoff", &log.backoff},
               {"backoff_factor", &log.backoff_factor, {.least = 1}},
               {"max_backoff", &log.max_backoff},
               {"harvester_buffer_size", &log.harvester_buffer_size},
               {"harvester_limit", &log.harvester_limit},
               {"max_bytes", &log.max_bytes, {.least = 1}},
               {"tail_files", &log.tail_files},
               {"symlinks", &log.symlinks},
               {"recursive_glob.enabled", &log.recursive_glob},
               {"scan.order", &log.scan_order, {.words = kScanOrders}},
               {"scan.sort", &log.scan_sort, {.words = kScanSorts}},
               {"file_identity", &log.file_identity, {.first = 7}},
               {"document_type", &log.document_type, {.last = 6, .instead = "fields"}}};
  append(out, "multiline.", slots_of(log.multiline));
  append(out, "json.", json_slots(log.json));
  return out;
}

Slots container_slots(ContainerOptions& container) {
  return {{"stream", &container.stream, {.words = kStreams}}, {"format", &container.format, {.words = kFormats}}};
}

Slots docker_slots(ContainerOptions& docker) {
  const Rule old{.last = 7, .instead = "type: container"};
  return {{"containers.ids", &docker.ids, old},
          {"containers.path", &docker.path, old},
          {"containers.stream", &docker.stream, {.words = kStreams, .last = 7, .instead = "stream"}},
          {"combine_partials", &docker.combine_partials, old},
          {"cri.parse_flags", &docker.cri_flags, old}};
}

Slots filestream_slots(FilestreamOptions& file) {
  return {{"paths", &file.paths},
          {"exclude_lines", &file.exclude_lines},
          {"include_lines", &file.include_lines},
          {"encoding", &file.encoding, {.words = encoding_names()}},
          {"prospector.scanner.check_interval", &file.check_interval},
          {"prospector.scanner.exclude_files", &file.exclude_files},
          {"prospector.scanner.include_files", &file.include_files},
          {"prospector.scanner.symlinks", &file.symlinks},
          {"prospector.scanner.recursive_glob", &file.recursive_glob},
          {"prospector.scanner.resend_on_touch", &file.resend_on_touch},
          {"prospector.scanner.fingerprint.enabled", &file.fingerprint, {.first = 8}},
          {"prospector.scanner.fingerprint.offset", &file.fingerprint_offset, {.first = 8}},
          {"prospector.scanner.fingerprint.length", &file.fingerprint_length, {.least = 64, .first = 8}},
          {"ignore_older", &file.ignore_older},
          {"ignore_inactive", &file.ignore_inactive, {.words = kInactive}},
          {"clean_inactive", &file.clean_inactive, {.least = -1}},
          {"clean_removed", &file.clean_removed},
          {"close.on_state_change.check_interval", &file.state_check_interval},
          {"close.on_state_change.inactive", &file.close_inactive},
          {"close.on_state_change.removed", &file.close_removed},
          {"close.on_state_change.renamed", &file.close_renamed},
          {"close.reader.after_interval", &file.close_after},
          {"close.reader.on_eof", &file.close_eof},
          {"backoff.init", &file.backoff_init},
          {"backoff.max", &file.backoff_max},
          {"buffer_size", &file.buffer_size},
          {"message_max_bytes", &file.message_max_bytes, {.least = 1}},
          {"line_terminator", &file.line_terminator, {.words = kTerminators}},
          {"seek_to_tail", &file.seek_to_tail},
          {"harvester_limit", &file.harvester_limit},
          {"file_identity", &file.file_identity},
          {"rotation", &file.rotation},
          {"take_over", &file.take_over, {.first = 8}},
          {"compression", &file.compression, {.words = kCompressions, .first = 8}}};
}

Slots stream_slots(NetworkOptions& net, const std::string& protocol) {
  Slots out = {{"max_message_size", &net.max_message_size, {.least = 1}}, {"timeout", &net.timeout}};
  out.push_back(protocol == "unix" ? Slot{"path", &net.path} : Slot{"host", &net.host});
  if (protocol == "udp") out.push_back({"read_buffer", &net.read_buffer});
  if (protocol == "udp") return out;
  out.push_back({"line_delimiter", &net.line_delimiter});
  out.push_back({"max_connections", &net.max_connections});
  out.push_back({"framing", &net.framing, {.words = kFramings, .first = 7}});
  if (protocol == "tcp") out.push_back({"ssl", &net.ssl});
  return out;
}

Slots network_slots(Input& input) {
  NetworkOptions& net = input.network;
  if (input.type != "syslog") return stream_slots(net, input.type);
  Slots out = syslog_slots(net.syslog);
  if (!net.protocol.empty()) append(out, "protocol." + net.protocol + ".", stream_slots(net, net.protocol));
  return out;
}

Slots journald_slots(JournaldOptions& journal) {
  return {{"paths", &journal.paths},
          {"include_matches", &journal.include_matches},
          {"include_matches.match", &journal.include_matches},
          {"units", &journal.units},
          {"syslog_identifiers", &journal.syslog_identifiers},
          {"transports", &journal.transports},
          {"facilities", &journal.facilities},
          {"seek", &journal.seek, {.words = kSeeks}},
          {"cursor_seek_fallback", &journal.cursor_seek_fallback, {.words = kSeeks}},
          {"since", &journal.since},
          {"backoff", &journal.backoff},
          {"max_backoff", &journal.max_backoff},
          {"save_remote_hostname", &journal.save_remote_hostname}};
}

}  // namespace

Slots slots_of(Multiline& multi) {
  return {{"type", &multi.type, {.words = kMultilineTypes, .first = 7}},
          {"pattern", &multi.pattern},
          {"negate", &multi.negate},
          {"match", &multi.match, {.words = kMatches}},
          {"max_lines", &multi.max_lines},
          {"timeout", &multi.timeout},
          {"flush_pattern", &multi.flush_pattern},
          {"count_lines", &multi.count_lines, {.first = 7}},
          {"skip_newline", &multi.skip_newline, {.first = 7}}};
}

Slots slots_of(Parser& parser) {
  if (parser.kind == "multiline") return slots_of(parser.multiline);
  if (parser.kind == "container") return container_slots(parser.container);
  if (parser.kind == "syslog") return syslog_slots(parser.syslog);
  if (parser.kind == "include_message") return {{"patterns", &parser.patterns}};
  Slots out = json_slots(parser.ndjson);
  out.push_back({"target", &parser.ndjson.target});
  return out;
}

Slots slots_of(Input& input) {
  Slots out = {{"id", &input.id},
               {"enabled", &input.enabled},
               {"tags", &input.tags},
               {"fields", &input.fields},
               {"fields_under_root", &input.fields_under_root},
               {"keep_null", &input.keep_null, {.first = 7}},
               {"pipeline", &input.pipeline},
               {"index", &input.index}};
  if (input.is_log()) append(out, "", log_slots(input.log));
  if (input.type == "container") append(out, "", container_slots(input.container));
  if (input.type == "docker") append(out, "", docker_slots(input.container));
  if (input.type == "filestream") append(out, "", filestream_slots(input.filestream));
  if (input.is_network()) append(out, "", network_slots(input));
  if (input.type == "journald") append(out, "", journald_slots(input.journald));
  return out;
}

Input default_input(const std::string& type, int generation) {
  Input out;
  out.type = type;
  if (generation < 8) out.filestream.clean_inactive = Nanoseconds(0);
  if (type == "syslog") out.network.syslog.format = "rfc3164";
  if (type == "udp") {
    out.network.max_message_size = 10_KiB;
    out.network.host = "localhost:8080";
  }
  return out;
}

}  // namespace enclave::pipeline::filebeat
