#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/ports.h"
#include "base/time.h"
#include "pipeline/input.h"

/// enclave.yaml: what it may say, and what follows from it. One table per section parses, checks and documents it
/// (config.cc); the manual, the annotated file of `enclave init` and the completion are made from the same tables.
namespace enclave::pipeline {

inline constexpr std::string_view kDefaultConfigPath = "/etc/enclave/enclave.yaml";
inline constexpr std::size_t kRecipientsMax = 64;
inline constexpr std::size_t kInputsMax = 1'000;
inline constexpr std::size_t kWaiversMax = 1'000;

struct StorageConfig {
  std::string endpoint;             ///< "file:///…" without a trailing slash, or "https://host[:port]"
  std::string credentials = "env";  ///< "env", "file:/absolute/path" or "profile:NAME"
  std::string writer;               ///< "file:/absolute/path" or "profile:NAME"; empty: there is none
  std::string other;                ///< the same
  std::string region = "us-east-1";
  std::string ca;
  std::string addressing = "auto";  ///< "auto", "path" or "virtual"
  std::string proxy;                ///< "http://host[:port]" or "https://…"; empty: none
  std::string plain_endpoint;       ///< "http://host[:port]"; empty: port 80 of the endpoint's host
  std::string swift_url;            ///< "https://host[:port]/path" without a trailing slash; empty: there is none
  bool insecure_http = false;

  bool is_file() const { return endpoint.starts_with("file://"); }
  /// Of a file endpoint: the directory that holds the buckets.
  std::string directory() const { return endpoint.substr(7); }
};

struct BucketConfig {
  std::string name;
  std::string purpose;  ///< "data" or "logs"
  Nanoseconds retain{0};
  /// "compliance", "governance" or "none"; never empty: without the key it follows from `retain`.
  std::string lock;
  Nanoseconds old_versions{0};  ///< how long they are kept; 0: for ever
  Strings recipients;           ///< age1…; of data buckets only
};

struct InputConfig {
  Node node;  ///< the map as it stands, for InputSetup::config
  const InputPlugin* plugin = nullptr;
  std::string id;  ///< unique; "<type>-<n>" where the file gives none
  bool enabled = true;
};

struct KeysConfig {
  std::string provider = "file";
  std::string identity;
  Strings recipients;
};

struct ArchiveConfig {
  Nanoseconds flush_after = std::chrono::seconds(30);
  ByteCount batch_bytes = 64_MiB;
  ByteCount object_bytes = 16_MiB;
  Nanoseconds heartbeat = std::chrono::minutes(5);
};

struct SpoolConfig {
  ByteCount bytes_max = 1_GiB;
  ByteCount segment_bytes = 32_MiB;
};

struct MetricsConfig {
  std::string listen;  ///< "ADDRESS:PORT" or "off"; empty: nothing was said
};

struct VerifyConfig {
  Nanoseconds stale_after = std::chrono::hours(1);
};

/// A finding that is accepted for a time.
struct WaiverConfig {
  std::string control;  ///< id, such as "storage.versioning"; whether there is such a control is not checked here
  std::string subject;  ///< name of what the control is applied to; empty: all
  std::string reason;
  std::string until;          ///< "2027-06-30": the last day on which it holds, in UTC
  std::int64_t until_ns = 0;  ///< the end of that day
  Place place, control_place, subject_place, until_place;
};

/// The whole file, checked. Paths are absolute (or relative to the working directory, when the file's own path is).
struct Config {
  std::string path;  ///< of the file
  std::string enclave;
  std::string state = "/var/lib/enclave";
  StorageConfig storage;
  std::vector<BucketConfig> buckets;
  std::vector<InputConfig> inputs;
  std::string pipeline;  ///< a Logstash configuration whose filters run; "" for none
  KeysConfig keys;
  ArchiveConfig archive;
  SpoolConfig spool;
  MetricsConfig metrics;
  VerifyConfig verify;
  std::vector<WaiverConfig> waivers;

  /// Name of the bucket `for: logs`; "logs" where the file names none.
  std::string log_bucket() const;
  /// Where the `file` provider keeps the identity that opens a data bucket without configured recipients.
  std::string data_identity(std::string_view bucket) const;
  /// nullptr when the file names no such bucket.
  const BucketConfig* bucket(std::string_view name) const;
};

/// The values of a document. Every mistake goes to the diagnostics; when there is one, the Config is not to be used.
Config parse_config(const Node& root, const std::string& path, Diagnostics& diagnostics);

/// YAML → Node → Config, with the mistakes of both in the order of the file. See load_config() for `shown`.
Config parse_config_text(std::string_view text, const std::string& path, Diagnostics& diagnostics,
                         const std::string& shown = "");

/// Reads, parses and checks; messages call the file `shown` (empty: `path`). Fails when the file cannot be read, and
/// with Fault::invalid ("3 mistakes in FILE") when the diagnostics hold an error.
Result<Config> load_config(Files& files, const std::string& path, Diagnostics& diagnostics,
                           const std::string& shown = "");

/// One section of the file, for manuals. `name`: "" (the top), "storage", "buckets[]", "logging.inputs[]", …; inputs of
/// each type follow as "logging.inputs[] type: file".
struct ConfigSection {
  std::string name;
  std::string help;
  std::vector<OptionCard> cards;
};
std::vector<ConfigSection> config_manual();

}  // namespace enclave::pipeline
