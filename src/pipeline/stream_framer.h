#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"

namespace enclave::pipeline {

/// Cuts the bytes of a connection into messages: lines that end in LF or CR LF, and where it is wanted messages with
/// their length before them (octet counting, RFC 6587 §3.4.1), told apart by their first byte. The same messages come
/// out however the bytes come in.
class StreamFramer {
 public:
  enum class Framing : std::uint8_t { lines, lines_or_counted };

  struct Message {
    std::string_view bytes;       ///< without what ended it
    std::uint64_t cut_bytes = 0;  ///< left out because the message is longer than allowed
    event::Eol eol = event::Eol::lf;
  };

  /// Counts beyond sixteen times `message_bytes_max` are errors. `delimiter` ends lines; it is not empty.
  StreamFramer(Framing framing, std::size_t message_bytes_max, std::string delimiter = "\n")
      : framing_(framing), bytes_max_(message_bytes_max), delimiter_(std::move(delimiter)) {}

  /// Appends the messages that end in `piece`, which is memory of the batch: they point there, or into what they were
  /// stored in. Fault::limit, with the messages before: a count that nobody can mean.
  /// `held_max`: how much of an unfinished message may be kept, at most message_bytes_max; the rest of it is cut.
  Result<void> feed(std::string_view piece, event::Batch& batch, std::vector<Message>& into, std::size_t held_max);
  /// The connection ended: what is left is a message.
  void finish(event::Batch& batch, std::vector<Message>& into);

  /// Bytes kept of an unfinished message.
  std::size_t held() const { return held_.size(); }
  bool mid_message() const { return held_bytes_ > 0 || state_ != State::start; }

 private:
  enum class State : std::uint8_t {
    start,    ///< of a message
    line,     ///< until LF
    count,    ///< digits
    counted,  ///< `left_` bytes more
  };
  std::size_t take_count(std::string_view piece);
  void end(std::string_view last, event::Eol eol, event::Batch& batch, std::vector<Message>& into);
  void hold(std::string_view part, std::size_t held_max);
  std::size_t find_end(std::string_view piece) const;

  const Framing framing_;
  const std::size_t bytes_max_;
  const std::string delimiter_;
  State state_ = State::start;
  std::string digits_;
  std::uint64_t left_ = 0;
  std::string held_;
  std::uint64_t held_bytes_ = 0;  ///< of the message, with what was cut
  std::string held_last_;         ///< the latest bytes of it, as many as the delimiter has
};

}  // namespace enclave::pipeline
