#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "archive/log_source.h"
#include "archive/verify.h"
#include "base/ports.h"
#include "base/time.h"

/// What `enclave verify` and `enclave-verify` have in common: from names of keys and files to a printed report. Uses
/// nothing of network and configuration.
namespace enclave::cli {

struct Verification {
  std::vector<std::string> keys;        ///< verifier keys, or files with some, one a line (FILE or @FILE)
  std::vector<std::string> identities;  ///< age identity files; none: ciphertext only
  std::vector<std::string> last_seen;   ///< files with checkpoints that the log must not go behind
  std::string seen;                     ///< directory of the newest checkpoints seen; empty: neither read nor kept
  std::string origin;                   ///< only this log; empty: all
  std::vector<std::string> pending_objects;
  Nanoseconds stale_after{0};
  unsigned threads = 0;   ///< 0: one for each core
  std::string directory;  ///< of the copy, for `explain`; empty: there is none
  bool json = false;
  bool explain = false;  ///< print the commands instead of the report
  bool quiet = false;
  bool progress = false;  ///< to `err`, on one line that changes
};

/// Verifies and prints. The exit status, or why it could not be done: Fault::invalid for a key that is none.
Result<int> run_verification(archive::LogSource& source, const Verification& wanted, World world,
                             const std::string& program, std::ostream& out, std::ostream& err);

}  // namespace enclave::cli
