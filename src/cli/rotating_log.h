#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "base/time.h"

namespace enclave::cli {

/// What a program tells of itself, in files of its own that are rotated by their size, as `logging.files` of
/// filebeat.yml has it. Thread-safe.
class RotatingLog {
 public:
  enum class Level : std::uint8_t { debug, info, warning, error, critical };
  struct Options {
    std::string folder = {};
    std::string name = "filebeat";
    std::uint64_t bytes_max = 10 << 20;  ///< of one file
    std::size_t keep = 7;                ///< files besides the one that is written
    std::uint32_t mode = 0600;
    Level least = Level::info;
    bool json = true;        ///< else text, parted by tabs
    bool dated = true;       ///< NAME-20260101.ndjson, -1, -2; else NAME, with NAME.1 as the latest before it
    bool at_startup = true;  ///< a file that is there already is rotated first
  };
  /// The folder is made when it is missing.
  static Result<std::unique_ptr<RotatingLog>> open(World world, Options options);

  /// One line. What cannot be written is lost: a full disk stops nothing.
  void write(Level level, std::string_view text);

 private:
  RotatingLog(World world, Options options) : world_(world), options_(std::move(options)) {}
  Result<void> begin(bool rotate);
  Result<void> rotate();
  std::string today() const;

  World world_;
  const Options options_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  std::uint64_t bytes_ = 0;
  std::string path_;
};

/// The level that filebeat.yml names.
RotatingLog::Level level_of(std::string_view name);

}  // namespace enclave::cli
