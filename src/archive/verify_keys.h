#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/leaf.h"
#include "archive/note.h"

/// Who may sign: the trust anchor for leaf 0, then each key that a `key` leaf announces under the key before it and
/// under itself (docs/formats/leaf.md).
namespace enclave::archive {

class KeyChain {
 public:
  enum class Anchor : std::uint8_t {
    given,    ///< the auditor was given the key that begins this log
    other,    ///< the auditor was given another key for this origin
    unknown,  ///< no key was given for this origin
  };
  enum class Signed : std::uint8_t { yes, no, unknowable };
  struct Answer {
    Signed is_signed = Signed::no;
    std::string reason;  ///< for a person, when it is not `yes`
  };

  KeyChain(std::string origin, std::span<const NoteVerifier> anchors);

  /// The key leaves, in order of their index. One whose signatures do not hold ends the chain: no later key is known.
  void offer(const Leaf& leaf);
  /// The leaf at `index` is lost; it may have named a key.
  void lose(std::uint64_t index);
  Anchor anchor() const { return anchor_; }
  /// What leaf 0 says the first key is; empty when leaf 0 is no key leaf signed by itself.
  const std::string& claimed() const { return claimed_; }
  /// Index of the key leaf that broke the chain. Not where a leaf before it is lost, which may explain it.
  std::optional<std::uint64_t> broken_at() const { return broken_at_; }
  const std::string& break_reason() const { return break_reason_; }
  /// Is this note, a checkpoint of `size` leaves, signed by the key in force at that size? When its last leaf is a
  /// `key` leaf, the key before must have signed it as well.
  Answer check(const Note& note, std::uint64_t size) const;
  /// Signature lines that are by none of our keys: nobody has checked them.
  std::size_t foreign_signatures(const Note& note) const;

 private:
  struct Link {
    std::uint64_t index;
    NoteVerifier key;
  };
  void begin(const Leaf& leaf);
  Answer check_signatures(const Note& note, std::uint64_t size) const;
  std::string origin_;
  std::vector<NoteVerifier> anchors_;
  std::vector<Link> links_;
  Anchor anchor_ = Anchor::unknown;
  std::string claimed_;
  std::optional<std::uint64_t> lost_at_;
  std::optional<std::uint64_t> broken_at_;
  std::string break_reason_;
};

}  // namespace enclave::archive
