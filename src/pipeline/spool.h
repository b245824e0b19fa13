#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "pipeline/spool_frame.h"

namespace enclave::pipeline {

/// Where events are kept from their acknowledgement until they are sealed (docs/formats/spool.md). Not thread-safe.
class Spool {
 public:
  struct Options {
    std::string directory;  ///< made when missing
    ByteCount segment_bytes = 32_MiB;
  };

  /// Gives every frame that was committed and not freed to `take`, in order. Damage never makes it fail: it is told in
  /// `notices`, and numbers missing between two frames show what it cost. Fails when the directory cannot be used.
  static Result<std::unique_ptr<Spool>> open(World world, Options options, const crypto::Secret& key,
                                             const std::function<void(Frame&&)>& take,
                                             std::vector<std::string>& notices);

  /// Puts the frame in line for the next commit() and gives its ordinal.
  std::uint64_t stage(Frame frame);
  std::size_t staged_bytes() const { return staged_bytes_; }
  bool has_staged() const { return !staged_.empty(); }

  /// Writes what is staged and syncs it: durable when it returns, and given back. After a failure all of it is staged
  /// still, nothing of it counts, and the call can be repeated.
  Result<std::vector<Frame>> commit();

  /// Frames up to this ordinal are sealed: segments that hold nothing else go. A failure leaves files for the next
  /// call.
  Result<void> free_through(std::uint64_t ordinal);

  /// On disk.
  std::uint64_t bytes() const;

 private:
  struct Segment {
    std::uint64_t number = 0;
    std::uint64_t last_ordinal = 0;
    std::uint64_t bytes = 0;  ///< that count: synced, or whole when it was recovered
    bool damaged = false;     ///< kept under another name instead of removed
  };

  Spool(World world, Options options, crypto::Secret key);
  std::string path_of(std::uint64_t number) const;
  Result<void> recover(const std::function<void(Frame&&)>& take, std::vector<std::string>& notices);
  Result<std::string> read_segment(Segment& segment, std::uint64_t bytes_max) const;
  struct Found;
  static std::vector<Found> find_frames(std::string_view bytes, crypto::Aead& cipher);
  static void leave_out_torn(std::vector<Found>& found);
  Result<void> take_segment(Segment& segment, bool last, std::uint64_t bytes_max,
                            const std::function<void(Frame&&)>& take, std::vector<std::string>& notices);
  Result<void> make_durable(const std::string& path, std::string_view bytes);
  Result<void> begin_segment();
  Result<void> write_staged();
  void abandon_segment();

  World world_;
  Options options_;
  crypto::Secret key_;
  std::vector<Segment> closed_;  ///< oldest first
  std::unique_ptr<File> file_;   ///< of current_; null: the next commit begins a segment
  Segment current_;
  std::unique_ptr<crypto::Aead> cipher_;
  std::uint64_t next_number_ = 1;
  std::uint64_t next_ordinal_ = 1;
  std::vector<Frame> staged_;
  std::size_t staged_bytes_ = 0;
};

}  // namespace enclave::pipeline
