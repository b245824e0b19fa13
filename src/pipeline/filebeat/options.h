#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/time.h"
#include "pipeline/filebeat/value.h"

/// What the sections of filebeat.yml hold, each with Filebeat's own defaults. Where generations differ, defaults_of()
/// of settings.h has the last word. Durations are 0 for "never", and -1 where Filebeat writes -1.
namespace enclave::pipeline::filebeat {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;

/// Permission bits; octal in the file.
struct Permissions {
  std::uint32_t bits = 0600;
};

struct Multiline {
  std::string type = "pattern";  ///< pattern, count, while_pattern
  std::string pattern;           ///< as RE2 reads it
  bool negate = false;
  std::string match;  ///< after, before
  std::int64_t max_lines = 500;
  Nanoseconds timeout = 5s;
  std::string flush_pattern;
  std::int64_t count_lines = 0;
  bool skip_newline = false;
};

struct Json {
  std::string message_key;
  bool keys_under_root = false;
  bool overwrite_keys = false;
  bool expand_keys = false;
  bool add_error_key = false;
  bool ignore_decoding_error = false;
  std::string document_id;
  std::string target;  ///< of filestream's ndjson alone
};

/// The inputs log, stdin, docker and container.
struct LogOptions {
  Strings paths, exclude_files, exclude_lines, include_lines;
  std::string encoding = "plain";
  Nanoseconds scan_frequency = 10s, ignore_older{0}, clean_inactive{0};
  bool clean_removed = true;
  Nanoseconds close_inactive = 5min, close_timeout{0};
  bool close_removed = true, close_renamed = false, close_eof = false;
  Nanoseconds backoff = 1s, max_backoff = 10s;
  std::int64_t backoff_factor = 2;
  ByteCount harvester_buffer_size{16384}, max_bytes = 10_MiB;
  std::int64_t harvester_limit = 0;  ///< 0: none
  bool tail_files = false, symlinks = false, recursive_glob = true;
  std::string scan_order = "asc", scan_sort, document_type;
  Value file_identity;  ///< null: by device and inode
  bool has_multiline = false, has_json = false;
  Multiline multiline;
  Json json;
};

/// Lines of container engines: the inputs container and docker, and filestream's parser.
struct ContainerOptions {
  std::string stream = "all";   ///< all, stdout, stderr
  std::string format = "auto";  ///< auto, docker, cri
  Strings ids;                  ///< of docker alone
  std::string path = "/var/lib/docker/containers";
  bool combine_partials = true, cri_flags = false;
};

struct SyslogFormat {
  std::string format = "auto";  ///< auto, rfc3164, rfc5424
  std::string timezone = "Local";
  bool log_errors = false, add_error_key = true;
};

/// One of filestream's (and journald's) parsers; they act in order.
struct Parser {
  std::string kind;  ///< multiline, ndjson, container, syslog, include_message
  Place place;
  Multiline multiline;
  Json ndjson;
  ContainerOptions container;
  SyslogFormat syslog;
  Strings patterns;  ///< of include_message
};

struct FilestreamOptions {
  Strings paths, exclude_lines, include_lines, exclude_files, include_files;
  std::string encoding = "plain";
  Nanoseconds check_interval = 10s, ignore_older{0}, clean_inactive = -1s;
  bool clean_removed = true, symlinks = false, recursive_glob = true, resend_on_touch = false;
  bool fingerprint = false;
  std::int64_t fingerprint_offset = 0;
  ByteCount fingerprint_length{1024};
  std::string ignore_inactive;  ///< "", since_first_start, since_last_start
  Nanoseconds state_check_interval = 5s, close_inactive = 5min, close_after{0};
  bool close_removed = true, close_renamed = false, close_eof = false;
  Nanoseconds backoff_init = 2s, backoff_max = 10s;
  ByteCount buffer_size{16384}, message_max_bytes = 10_MiB;
  std::string line_terminator = "auto";
  bool seek_to_tail = false;
  std::int64_t harvester_limit = 0;
  Value file_identity, rotation, take_over;
  std::string compression;  ///< "", none, gzip, auto
  std::vector<Parser> parsers;
};

/// The inputs tcp, udp, unix and syslog.
struct NetworkOptions {
  std::string protocol;  ///< tcp, udp, unix; of syslog what stands below `protocol`
  std::string host;      ///< "address:port"
  std::string path;      ///< of unix
  ByteCount max_message_size = 20_MiB;
  Nanoseconds timeout = 5min;
  std::int64_t max_connections = 0;  ///< 0: no limit
  std::string framing = "delimiter", line_delimiter = "\n";
  ByteCount read_buffer{0};
  SyslogFormat syslog;
  Value ssl;
};

struct JournaldOptions {
  Strings paths, include_matches, units, syslog_identifiers, transports, facilities;
  std::string seek = "head", cursor_seek_fallback = "head";
  Nanoseconds since{0}, backoff = 1s, max_backoff = 20s;
  bool save_remote_hostname = false;
  std::vector<Parser> parsers;
};

/// TLS of an output, as `ssl.*` says it.
struct Tls {
  bool enabled = true, present = false;
  std::string verification_mode = "full";  ///< full, strict, certificate, none
  Strings certificate_authorities, supported_protocols, cipher_suites, curve_types, ca_sha256;
  std::string certificate, key, key_passphrase, ca_trusted_fingerprint, renegotiation = "never";
};

struct LogstashOutput {
  Strings hosts;
  bool loadbalance = false, slow_start = false, escape_html = false;
  std::int64_t workers = 1, bulk_max_size = 2048, compression_level = 3, pipelining = 2, max_retries = 3;
  Nanoseconds ttl{0}, timeout = 30s, backoff_init = 1s, backoff_max = 60s;
  std::string index = "filebeat", proxy_url;
  bool proxy_use_local_resolver = false;
  Tls ssl;
};

struct ElasticsearchOutput {
  Strings hosts;
  std::string protocol = "http", path, username, password, api_key, index, pipeline, proxy_url;
  Value indices, pipelines, headers, parameters;
  bool loadbalance = true, escape_html = false, proxy_disable = false, allow_older_versions = false;
  std::int64_t workers = 1, bulk_max_size = 50, compression_level = 0, max_retries = 3;
  Nanoseconds timeout = 90s, backoff_init = 1s, backoff_max = 60s;
  Tls ssl;
};

struct FileOutput {
  std::string path, filename = "filebeat";
  std::int64_t rotate_every_kb = 10240, number_of_files = 7;
  Permissions permissions;
  bool rotate_on_startup = true;
  Value codec;
};

struct ConsoleOutput {
  bool pretty = false;
  Value codec;
};

struct Registry {
  std::string path = "registry";  ///< relative to path.data
  Permissions file_permissions;
  Nanoseconds flush = 1s;
  std::string migrate_file;
};

struct Logging {
  std::string level = "info";
  bool to_files = true, to_stderr = false, to_syslog = false, json = true;
  Strings selectors;
  std::string path, name = "filebeat";
  ByteCount rotateeverybytes = 10_MiB;
  std::int64_t keepfiles = 7;
  Permissions permissions;
  Nanoseconds interval{0};
  bool rotateonstartup = true, metrics = true;
  Nanoseconds metrics_period = 30s;
};

/// Where Filebeat tells how it goes.
struct Http {
  bool enabled = false;
  std::string host = "localhost";
  std::int64_t port = 5066;
};

struct Queue {
  std::int64_t events = 3200, flush_min_events = 1600;
  Nanoseconds flush_timeout = 10s;
};

}  // namespace enclave::pipeline::filebeat
