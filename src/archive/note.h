#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"

/// C2SP signed notes with Ed25519 (signed-note), and checkpoints (tlog-checkpoint).
namespace enclave::archive {

/// "<name>+<8 hex digits of the key hash>+<base64 of 01 || public key>".
struct NoteVerifier {
  std::string name;
  std::uint32_t key_hash = 0;
  crypto::Ed25519PublicKey key{};
  static NoteVerifier of(std::string_view name, const crypto::Ed25519PublicKey& key);
  static Result<NoteVerifier> parse(std::string_view vkey);
  std::string text() const;
  bool operator==(const NoteVerifier&) const = default;
};

struct NoteSignature {
  std::string name;
  std::uint32_t key_hash = 0;
  std::string signature;  ///< raw bytes, without the key hash
};

/// A note as read: `text` ends with a newline. Lines of unknown keys are kept; verify() passes over them.
struct Note {
  std::string text;
  std::vector<NoteSignature> signatures;
  /// Strict (C2SP signed-note), at most 1 MiB and 100 signatures. Fault::corrupt.
  static Result<Note> parse(std::string_view note);
  std::string format() const;
  void sign(std::string_view name, const crypto::Ed25519PrivateKey& key);
  bool verified_by(const NoteVerifier& verifier) const;
};

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  crypto::Digest root{};
  std::vector<std::string> extensions;
  bool operator==(const Checkpoint&) const = default;
  std::string text() const;
  static Result<Checkpoint> parse(std::string_view text);
};

}  // namespace enclave::archive
