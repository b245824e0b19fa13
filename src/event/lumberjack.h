#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

/// Lumberjack, the protocol of Beats, versions 1 and 2 (docs/formats/lumberjack.md). Eats bytes, not sockets.
namespace enclave::event {

/// What a sender may ask for. Beyond it: Fault::limit.
struct LumberjackLimits {
  std::uint32_t window_events = 10'000;       ///< announced by one W frame
  std::size_t frame_bytes = 10 << 20;         ///< payload of one J, D or C frame
  std::size_t inflated_bytes = 64 << 20;      ///< plain text of one C frame
  std::size_t inflated_times = 256;           ///< and how many times its payload that may be
  std::size_t inflated_bytes_free = 1 << 20;  ///< up to this much the ratio does not matter
  std::uint32_t pairs = 1'000;                ///< of one D frame
};

/// An event, the end of a window, or both at once.
struct LumberjackItem {
  bool is_event = false;
  std::string_view json;       ///< as received; for version 1 an object of its pairs, all of them texts
  bool ends_window = false;    ///< all events of the window were given: it waits for `{ack}`
  std::uint8_t version = '2';  ///< of the window, as its byte on the wire
  std::uint32_t ack = 0;       ///< when ends_window: what acknowledges it, its highest sequence number; 0 when empty
};

/// The receiving side. Bytes may come in any pieces: the items are the same. Holds at most one frame's bytes, and of a
/// compressed frame only the piece that is being read. Not thread-safe.
class LumberjackDecoder {
 public:
  explicit LumberjackDecoder(LumberjackLimits limits = {});
  ~LumberjackDecoder();
  LumberjackDecoder(LumberjackDecoder&&) noexcept;
  LumberjackDecoder& operator=(LumberjackDecoder&&) noexcept;

  /// Room for at least `bytes` more; took() says how many were put there.
  std::span<char> room(std::size_t bytes);
  void took(std::size_t bytes);
  void feed(std::string_view bytes);

  /// The next item; none when more bytes are needed. Its text is valid until the next call of anything. After an error
  /// nothing more can be read. Faults: corrupt (not the protocol, damaged), limit (a bound).
  Result<std::optional<LumberjackItem>> next();

  /// A frame has begun and is not whole.
  bool mid_frame() const;
  /// Frames of the wire that were read whole, and windows that were begun: for deadlines.
  std::uint64_t frames() const;
  std::uint64_t windows() const;
  /// A window was announced and not all of its events have come.
  bool mid_window() const;
  /// Memory of bytes that wait.
  std::size_t buffered() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The sending side; each appends one frame. `version` is '1' or '2'.
void append_lumberjack_window(std::string& out, std::uint32_t events);
void append_lumberjack_json(std::string& out, std::uint32_t sequence, std::string_view json);
/// `frames` packed as one C frame; `level` 1 to 9, as of zlib.
void append_lumberjack_compressed(std::string& out, std::string_view frames, int level);
/// Sequence 0 is a sign of life: "still at work".
void append_lumberjack_ack(std::string& out, std::uint8_t version, std::uint32_t sequence);

/// The acknowledgement at the front of `bytes`, which loses it; none when it is not whole. Fault::corrupt.
Result<std::optional<std::uint32_t>> take_lumberjack_ack(std::string_view& bytes);

}  // namespace enclave::event
