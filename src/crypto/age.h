#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "crypto/secret.h"

/// The age v1 file format (C2SP age), X25519 recipients only. No passphrases, no plug-ins, no armour.
namespace enclave::crypto {

/// "age1…": to whom a file is encrypted.
class AgeRecipient {
 public:
  /// Bech32, lower case as age prints it. Refuses a low-order point.
  static Result<AgeRecipient> parse(std::string_view text);
  std::string text() const;
  bool operator==(const AgeRecipient&) const = default;

 private:
  friend class AgeIdentity;
  friend class AgeAccess;
  std::array<std::uint8_t, 32> point_{};
};

/// "AGE-SECRET-KEY-1…": who may read.
class AgeIdentity {
 public:
  static AgeIdentity generate(Random& random);
  static Result<AgeIdentity> parse(const Secret& text);
  /// All identities of a file as age-keygen writes it: comments and empty lines are skipped. Errors name the line.
  static Result<std::vector<AgeIdentity>> parse_file(const Secret& text);
  Secret text() const;
  const AgeRecipient& recipient() const { return recipient_; }

 private:
  friend class AgeAccess;
  Secret scalar_;
  AgeRecipient recipient_;
};

/// At least one recipient, at most 64.
/// The parts, one after the other, are the plain text.
Result<std::string> age_encrypt(std::span<const AgeRecipient> recipients, std::span<const std::string_view> parts,
                                Random& random);

/// What stands before the payload.
struct AgeHeader {
  struct Stanza {
    std::string type;
    std::vector<std::string> arguments;
    std::string body;
  };
  std::vector<Stanza> stanzas;
  std::size_t bytes = 0;      ///< length of the header with its MAC line; the payload's nonce follows
  std::size_t mac_bytes = 0;  ///< how many of them the MAC covers
  std::array<std::uint8_t, 32> mac{};
};
/// Strict: canonical base64, known version, at most 64 KiB of header. Fault::corrupt says what is wrong and where.
Result<AgeHeader> parse_age_header(std::string_view file);

/// Opens in pieces of at most 64 KiB, in order; memory does not grow with the file. What was given out before an error
/// is authentic, but not all of it. Faults: denied (no identity fits: the text says how many recipients of which type
/// there are), corrupt.
Result<void> age_decrypt(std::string_view file, std::span<const AgeIdentity> identities,
                         const std::function<Result<void>(std::string_view)>& take);
Result<std::string> age_decrypt(std::string_view file, std::span<const AgeIdentity> identities);

/// Length of an age payload (nonce, chunks, tags) for this much plain text, without the header.
std::uint64_t age_payload_bytes(std::uint64_t plain_bytes);

}  // namespace enclave::crypto
