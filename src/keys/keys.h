#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ports.h"
#include "crypto/age.h"
#include "crypto/secret.h"

/// Where keys come from. Errors name the file and what to do, never a key.
namespace enclave::keys {

/// The 32 bytes that encrypt the spool (docs/formats/spool.md): `enclave.spool-key` in the credentials directory, or
/// `spool.key` in the state directory, made when it is not there. The state directory must exist; the credentials
/// directory may be "" for none.
/// Faults: corrupt (not 32 bytes), denied (others can read spool.key), those of Files.
Result<crypto::Secret> load_or_make_spool_key(Files& files, const std::string& state_directory,
                                              const std::string& credentials_directory, Random& random);

/// What the `file` key provider gives: to whom the log, or a data bucket, is encrypted.
struct OwnIdentity {
  std::vector<crypto::AgeRecipient> recipients;  ///< at least one, at most 64
  bool made_now = false;                         ///< nobody has a copy of the identity yet
};

/// Reads the identity file, or makes it as age-keygen would, 0600, with its missing parent directories. The clock gives
/// the time in its comment.
/// Faults: denied (others can read it), invalid (not an identity file), limit, those of Files.
Result<OwnIdentity> load_or_make_identity(Files& files, const std::string& path, Random& random, Clock& clock);

/// The identities of a file that the user names, to read the log with. Its permissions are the user's concern.
Result<std::vector<crypto::AgeIdentity>> load_identities(Files& files, const std::string& path);

/// Recipients as the configuration gives them ("age1…"), each once, in order. Fault::invalid names the place in the
/// list of the first one that is wrong, or says that there is none; Fault::limit: more than 64.
Result<std::vector<crypto::AgeRecipient>> parse_recipients(std::span<const std::string> texts);

}  // namespace enclave::keys
