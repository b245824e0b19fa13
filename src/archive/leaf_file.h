#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"

/// The file of leaves: "enclave-leaves/v1\n", then per leaf its length and CRC-32C (4 bytes little-endian each) and its
/// text (docs/formats/log-layout.md, "In the state directory").
namespace enclave::archive {

/// What a walk over the file found.
struct LeafScan {
  enum class End : std::uint8_t {
    whole,    ///< nothing but whole leaves
    torn,     ///< whole leaves, then bytes that no whole leaf follows: what a crash leaves of an append
    damaged,  ///< bytes that are no leaf, and whole leaves behind them; or the file's header is not there
  };
  End end = End::whole;
  std::uint64_t good_bytes = 0;  ///< up to the end of the last leaf before what is not whole
};

/// Calls `take(offset, text)` for each whole leaf from the first on; when `take` gives false the leaf counts as not
/// whole. Behind a damaged place it looks for further whole frames and gives them to `salvage`. Memory: one window of
/// some MiB. Any bytes may stand in the file.
Result<LeafScan> scan_leaves(File& file, const std::function<bool(std::uint64_t, std::string_view)>& take,
                             const std::function<void(std::uint64_t, std::string_view)>& salvage);

std::string leaf_frame(std::string_view text);
std::string_view leaves_header();

/// The file, open for appending. What append() committed stays; what failed leaves no trace once the disk obeys again.
class LeafFile {
 public:
  /// `offsets` of the leaves in it and `end`, as a scan found them. What stands behind `end` is cut.
  static Result<std::unique_ptr<LeafFile>> open(Files& files, std::string path, std::vector<std::uint64_t> offsets,
                                                std::uint64_t end);

  std::uint64_t size() const { return offsets_.size(); }
  /// The leaf is on the disk when it returns. After a failure it is not counted; `clean` tells whether its bytes are
  /// known to be gone from the disk too.
  Result<void> append(std::string_view text);
  bool clean() const { return !dirty_; }
  /// Brings the file back to the leaves that were committed. append() does it first.
  Result<void> repair();
  Result<std::string> read(std::uint64_t index);

 private:
  LeafFile(Files& files, std::string path, std::vector<std::uint64_t> offsets, std::uint64_t end)
      : files_(files), path_(std::move(path)), offsets_(std::move(offsets)), end_(end) {}
  Result<void> cut();
  Result<void> rewrite();

  Files& files_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t end_;
  bool dirty_ = false;
};

/// The text of the leaf whose frame begins at `offset`. Fault::corrupt when it is not whole.
Result<std::string> read_leaf_at(File& file, std::uint64_t offset);

}  // namespace enclave::archive
