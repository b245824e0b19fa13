#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/ports.h"
#include "pipeline/file_state.h"

namespace enclave::pipeline {

/// The bytes of a log file, as its writer wrote them. Not thread-safe.
class Content {
 public:
  virtual ~Content() = default;
  /// Fills `into` as far as there are bytes at `offset`; fewer only at the end.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  /// Nothing before `offset` will be asked for again.
  virtual void release(std::uint64_t /*offset*/) {}
};

class PlainContent final : public Content {
 public:
  explicit PlainContent(File& file) : file_(file) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override;

 private:
  File& file_;
};

/// The content of a gzip file (RFC 1952), members one after the other. Reading backwards is free down to what was
/// released, within `keep_bytes`; further back it unpacks from the first byte again.
class GzipContent final : public Content {
 public:
  /// `file` outlives it.
  GzipContent(File& file, std::size_t keep_bytes);
  ~GzipContent() override;

  /// Fault::corrupt when the file is damaged there; what stands before can be read.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override;
  void release(std::uint64_t offset) override;

  /// Unpacks towards `offset`, at most `bytes`. True when it is there, or at the end.
  Result<bool> advance(std::uint64_t offset, std::uint64_t bytes);

  /// Content unpacked so far.
  std::uint64_t position() const;
  /// Bytes of the file that were unpacked so far.
  std::uint64_t packed_position() const;
  /// The file ended where a member ended.
  bool whole() const;

 private:
  struct State;
  Result<bool> unpack_block();
  Result<void> refill();
  void restart();
  std::unique_ptr<State> state_;
};

/// CRC-32C over 64 bytes of every 4 KiB of content: cheap, and enough to tell a copy from another file that begins
/// alike. `bytes` stand at `offset`; `seed` is the sum of all before.
std::uint32_t sampled_sum(std::string_view bytes, std::uint64_t offset, std::uint32_t seed);

/// Whether the file holds what was read of a source so far, and perhaps more: first bytes, length and samples.
/// `packed`: the file is gzip. Samples are compared within the first 64 MiB.
Result<bool> continues(const FileState& state, File& file, bool packed);

/// Whether all of `file`, as far as its first 64 KiB tell, also stands at the front of `original`.
Result<bool> is_copy(File& file, bool packed, Content& original);

/// gzip's magic bytes.
Result<bool> is_packed(File& file);

}  // namespace enclave::pipeline
