#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/log.h"
#include "archive/merkle.h"
#include "crypto/age.h"
#include "event/batch.h"
#include "event/compress.h"

namespace enclave::archive {

/// Gathers spooled frames until they are sealed as one object. Holds compressed bytes only.
class OpenBatch {
 public:
  /// `frame`: one Zstandard frame of records `first_seq`, `first_seq`+1, …; `leaves`: their leaf hashes in order.
  void add(std::uint64_t first_seq, std::span<const Digest> leaves, std::string frame, std::uint64_t plain_bytes,
           std::int64_t wall_ns, std::int64_t boot_ns, std::span<const event::SourceRange> sources);
  /// A range that carries no record (only a loss, or a position that moved).
  bool empty() const { return count_ == 0 && sources_.empty(); }
  std::uint64_t count() const { return count_; }
  std::uint64_t last_seq() const { return first_seq_ + count_ - 1; }
  std::uint64_t plain_bytes() const { return plain_bytes_; }
  std::uint64_t bytes() const { return frame_bytes_; }
  /// What its leaf would take; seal before it comes near kLeafBytesMax.
  std::size_t leaf_bytes() const;
  std::int64_t first_wall_ns() const { return first_wall_ns_; }

 private:
  friend class Sealer;
  std::uint64_t first_seq_ = 0, count_ = 0, plain_bytes_ = 0, frame_bytes_ = 0;
  std::int64_t first_wall_ns_ = 0, last_wall_ns_ = 0, last_boot_ns_ = 0;
  CompactTree records_;
  std::vector<std::string> frames_;
  std::vector<event::SourceRange> sources_;          ///< merged per source, in order of first appearance
  std::map<std::string, std::size_t> source_index_;  ///< where in sources_
  std::size_t source_bytes_ = 0;
  bool sealed_ = false;  ///< only the gap leaf is missing
};

/// NDJSON frames → envelope → object and leaf.
class Sealer {
 public:
  Sealer(Log& log, std::vector<crypto::AgeRecipient> recipients, std::string boot_id, Random& random);
  /// Commits the batch; a batch with losses is followed by a `gap` leaf. Many small frames are compressed anew as one.
  /// On failure nothing is committed and the batch is unchanged; or only the `gap` leaf failed, and a repeated call
  /// commits that alone.
  Result<void> seal(OpenBatch& batch);
  Result<void> heartbeat(std::int64_t wall_ns, std::int64_t boot_ns);

 private:
  Log& log_;
  std::vector<crypto::AgeRecipient> recipients_;
  std::string boot_id_;
  Random& random_;
};

}  // namespace enclave::archive
