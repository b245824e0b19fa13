#include "archive/verify_keys.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

bool signed_by(const Leaf& leaf, const NoteVerifier& key) {
  const std::string text = key.text();
  for (const LeafSignature& one : leaf.signatures) {
    crypto::Ed25519Signature signature;
    if (one.vkey != text || one.signature.size() != signature.size()) continue;
    std::copy(one.signature.begin(), one.signature.end(), signature.begin());
    if (crypto::verify(key.key, signed_part_of(leaf), signature)) return true;
  }
  return false;
}

}  // namespace

KeyChain::KeyChain(std::string origin, std::span<const NoteVerifier> anchors)
    : origin_(std::move(origin)), anchors_(anchors.begin(), anchors.end()) {
  for (const NoteVerifier& key : anchors_) {
    if (key.name != origin_) continue;
    links_ = {{0, key}};
    anchor_ = Anchor::given;
  }
}

void KeyChain::begin(const Leaf& leaf) {
  const auto key = NoteVerifier::parse(leaf.vkey);
  // A damaged first leaf says nothing. Where the auditor's key is known, the chain goes on from that one.
  if (!key || key->name != origin_ || leaf.signatures.size() != 1 || !signed_by(leaf, *key)) {
    if (anchor_ == Anchor::given) return;
    broken_at_ = 0;
    break_reason_ = "Leaf 0 is not a key leaf signed by its own key.";
    return;
  }
  claimed_ = key->text();
  const bool given = std::find(anchors_.begin(), anchors_.end(), *key) != anchors_.end();
  if (given) {
    anchor_ = Anchor::given;
  } else if (anchor_ == Anchor::given) {
    anchor_ = Anchor::other;
  }
  links_ = {{0, *key}};
}

void KeyChain::lose(std::uint64_t index) { lost_at_ = std::min(lost_at_.value_or(index), index); }

void KeyChain::offer(const Leaf& leaf) {
  if (broken_at_) return;
  if (leaf.index == 0) return begin(leaf);
  const auto key = NoteVerifier::parse(leaf.vkey);
  if (links_.empty() || !key || key->name != origin_) {
    break_reason_ =
        fmt::format("The key leaf {} names no key of this origin, or no key is known before it.", leaf.index);
  } else if (leaf.signatures.size() != 2 || !signed_by(leaf, links_.back().key) || !signed_by(leaf, *key)) {
    break_reason_ = fmt::format("The new key of leaf {} is not signed by the key before it and by itself.", leaf.index);
  } else {
    links_.push_back({leaf.index, *key});
    return;
  }
  if (!lost_at_) broken_at_ = leaf.index;
}

KeyChain::Answer KeyChain::check(const Note& note, std::uint64_t size) const {
  Answer answer = check_signatures(note, size);
  if (answer.is_signed == Signed::no && lost_at_ && size > *lost_at_)
    return {Signed::unknowable, fmt::format("Leaf {}, which may have named another key, is lost.", *lost_at_)};
  return answer;
}

KeyChain::Answer KeyChain::check_signatures(const Note& note, std::uint64_t size) const {
  if (broken_at_ && size > *broken_at_) return {Signed::unknowable, break_reason_};
  if (links_.empty()) return {Signed::unknowable, "No key of this log is known."};
  // A line by one of our keys that does not hold was changed, whether it is needed or not.
  for (const NoteSignature& one : note.signatures)
    for (const Link& each : links_)
      if (each.key.name == one.name && each.key.key_hash == one.key_hash && !note.verified_by(each.key))
        return {Signed::no, fmt::format("The signature by {} does not hold.", each.key.text())};
  std::size_t link = links_.size() - 1;
  while (link > 0 && links_[link].index >= size) --link;
  if (!note.verified_by(links_[link].key))
    return {Signed::no,
            fmt::format("It is not signed by {}, the key in force at {} leaves.", links_[link].key.text(), size)};
  if (link > 0 && links_[link].index + 1 == size && !note.verified_by(links_[link - 1].key))
    return {Signed::no, fmt::format("Its last leaf changes the key, but the key before, {}, did not sign it.",
                                    links_[link - 1].key.text())};
  return {Signed::yes, {}};
}

std::size_t KeyChain::foreign_signatures(const Note& note) const {
  std::size_t foreign = 0;
  for (const NoteSignature& one : note.signatures)
    if (std::none_of(links_.begin(), links_.end(),
                     [&](const Link& link) { return link.key.name == one.name && link.key.key_hash == one.key_hash; }))
      ++foreign;
  return foreign;
}

}  // namespace enclave::archive
