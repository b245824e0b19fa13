#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/leaf.h"
#include "archive/note.h"
#include "base/ports.h"

/// The host's side of one origin's log: leaves, tree, keys and checkpoint in the state directory, and the outbox of
/// what the object store does not have yet. The leaf file is the commitment; all else is derived from it.
namespace enclave::archive {

/// An object as the bucket layout wants it (docs/formats/log-layout.md).
struct LogFile {
  std::string key;
  std::string bytes;
};

/// Something that the user should hear of once: found damaged and set aside, forked, key changed.
using Notices = std::vector<std::string>;

class Log {
 public:
  struct Options {
    std::string directory;  ///< made when it is missing
    std::string enclave;    ///< first part of the origin
    std::string instance;   ///< second part; another one than last time (a cloned VM) begins a new generation
    std::string boot_id;    ///< another one than last time begins a new signing key
    std::string suffix = ".ndjson.zst.age";
  };

  /// Opens or makes the log. After a crash anywhere: leftovers of uncommitted seals are removed; a torn tail of the
  /// leaf file is cut; a damaged middle is set aside (quarantined) and a new generation begins with a fork leaf.
  /// At another boot it appends a `key` leaf (signed by both keys; then the old private key is erased) and a `boot`
  /// leaf.
  static Result<std::unique_ptr<Log>> open(World world, Options options, Notices& notices);
  virtual ~Log() = default;

  virtual const std::string& origin() const = 0;
  /// The verifier key of this origin's first signing key: what an auditor is given.
  virtual std::string trust_anchor() const = 0;
  virtual std::uint64_t size() const = 0;
  /// Last record number under any leaf of this log; 0 when there is none.
  virtual std::uint64_t last_seq() const = 0;
  virtual std::int64_t last_leaf_wall_ns() const = 0;

  /// Commits `leaf` (its origin, index and object are filled in here) together with the bytes of its object, which may
  /// be empty for a leaf without one. Durable when it returns: object in the outbox, leaf, checkpoint, in that order.
  /// After a failure nothing is committed and the call can be repeated.
  virtual Result<std::uint64_t> append(Leaf leaf, std::string_view object) = 0;

  /// Objects that the store does not have yet, oldest first: index and key.
  struct Pending {
    std::uint64_t index;
    std::string key;
    std::uint64_t bytes;
    Digest sha256;
  };
  virtual std::vector<Pending> pending() const = 0;
  virtual std::uint64_t outbox_bytes() const = 0;
  /// Fault::corrupt when it is not what was sealed: it is pending no more then, and a `gap` leaf says so.
  virtual Result<std::string> read_pending(std::uint64_t index) = 0;
  /// Where its bytes lie, when this very Log wrote them: they need not be looked at again. "" otherwise.
  virtual std::string whole_pending(std::uint64_t index) const = 0;
  /// The store has it: its bytes leave the outbox.
  virtual Result<void> sent(std::uint64_t index) = 0;

  /// The size up to which the store has tiles and checkpoint; kept across restarts.
  virtual std::uint64_t published_size() const = 0;
  /// Tiles that a store at `published_size()` misses for the tree of `size`, immutable, in the order to send them.
  virtual Result<std::vector<LogFile>> tiles_to_publish(std::uint64_t size) = 0;
  /// The signed checkpoint of `size` (<= size()), to be sent last. Fault::unsupported for a size that does not reach
  /// beyond the newest key leaf: the key for it is erased. The sizes after open() and append() always reach beyond it.
  virtual Result<LogFile> checkpoint(std::uint64_t size) = 0;
  virtual Result<void> published(std::uint64_t size) = 0;

  /// The store holds another history under this origin: another machine, or a rolled back disk, writes it too. Ends
  /// this generation; the next one begins with a `fork` leaf that names the end of this one, and what was not sent is
  /// committed again under the new origin. What was sent but not published becomes a `gap` leaf there.
  virtual Result<void> fork(std::string_view reason) = 0;
};

}  // namespace enclave::archive
