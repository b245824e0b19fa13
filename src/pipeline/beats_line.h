#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// Where a line that a Beat sent is from. Of its JSON only what tells that is read.
namespace enclave::pipeline {

/// Texts stand as in the JSON, with their escapes. What is not there is empty.
struct BeatLine {
  std::string_view sender;       ///< agent.id; of generation 6 beat.name
  std::string_view sender_host;  ///< of generation 6 beat.hostname
  std::string_view process;      ///< agent.ephemeral_id
  std::string_view path;         ///< log.file.path, or source
  std::string_view device;       ///< log.file.device_id
  std::string_view inode;        ///< log.file.inode
  std::string_view fingerprint;  ///< log.file.fingerprint
  std::string_view time;         ///< @timestamp
  std::string_view message;
  std::uint64_t offset = 0;  ///< log.offset, or offset
  std::string_view digits;   ///< the same as it stands
  bool same_origin = false;  ///< all but time, message and offset are those of the line before
};

/// Parses JSON. One for any number of readers, one thread.
class BeatParser {
 public:
  /// So many bytes behind the JSON can be read, whatever they hold.
  static constexpr std::size_t kPadding = 64;

  BeatParser();
  ~BeatParser();
  /// False when it is no line of a file with its sender, path, offset and message, or no JSON.
  bool parse(std::string_view json, BeatLine& into);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The lines of one connection. A line that differs from the one before in time, message and offset only is not parsed:
/// what is around them is compared. Holds at most about 8 KiB. Views are valid until the next call, those of time,
/// message and digits as long as the JSON.
class BeatLineReader {
 public:
  /// As BeatParser::parse, which has the same outcome for every JSON.
  bool read(std::string_view json, BeatParser& parser, BeatLine& into);

 private:
  enum class Gap : std::uint8_t { time, message, offset };
  bool read_alike(std::string_view json, BeatLine& into) const;
  void learn(std::string_view json, const BeatLine& line);

  std::string fixed_;   ///< the JSON without what differs
  std::string origin_;  ///< what `like_` points into
  BeatLine like_;
  std::array<std::size_t, 4> pieces_{};  ///< bytes of fixed_ before each gap, and behind the last one
  std::array<Gap, 3> gaps_{};            ///< in the order in which they stand
  bool learnt_ = false;
};

}  // namespace enclave::pipeline
