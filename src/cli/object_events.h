#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cli/verb.h"
#include "cloud/s3_client.h"
#include "io/append_file.h"
#include "io/who.h"
#include "pipeline/config/config.h"

/// Who did what to which object, with what outcome: one line of JSON each (docs/formats/object.md), which `enclave run`
/// seals in the log like any other line.
namespace enclave::cli {

struct ObjectEvent {
  std::string operation;  ///< "put", "get", "list", "versions", "restore", "remove", "bucket-new", …
  std::string bucket;
  std::string key;
  std::string version;
  std::string path;  ///< of the file on this machine
  std::optional<std::uint64_t> bytes, stored_bytes, objects;
  bool encrypted = false;
  std::optional<Error> failure;
  cloud::S3Told told;
  std::int64_t begun_wall_ns = 0, begun_boot_ns = 0;
};

/// Where events are recorded, below the state directory.
inline constexpr std::string_view kObjectEvents = "events/objects.log";
inline constexpr std::string_view kObjectEventsInput = "enclave-objects";

/// Thread-safe.
class ObjectEvents {
 public:
  /// In the state directory; where this user may not write there, below $XDG_STATE_HOME/enclave, which is said on
  /// shell.err. Fails when neither can be written: nothing should be done then.
  static Result<std::unique_ptr<ObjectEvents>> open(const pipeline::Config& config, Shell& shell);
  /// Records nothing.
  static std::unique_ptr<ObjectEvents> none(const pipeline::Config& config, Shell& shell);

  /// Of an operation that begins now.
  ObjectEvent begin(std::string_view operation, std::string bucket, std::string key) const;
  /// The line, without its end.
  std::string line_of(const ObjectEvent& event) const;
  Result<void> add(std::string_view line);
  Result<void> sync();

 private:
  ObjectEvents(const pipeline::Config& config, Shell& shell, std::optional<io::AppendFile> file);
  const std::string store_;
  World world_;
  const io::Who who_;
  std::string sudo_user_;
  std::optional<io::AppendFile> file_;
};

}  // namespace enclave::cli
