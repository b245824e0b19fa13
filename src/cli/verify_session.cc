#include "cli/verify_session.h"

#include "base/files.h"
#include "cli/store.h"
#include "cli/verification.h"

namespace enclave::cli {

Result<Verification> own_verification(const pipeline::Config& config, Shell& shell) {
  Verification wanted;
  auto own = TRY(own_log(shell.world.files, config.state));
  if (own.anchors.empty())
    return Error{Fault::absent, "{} holds no log yet; run enclave run first, or name the key with --key", config.state};
  wanted.keys = std::move(own.anchors);
  wanted.pending_objects = std::move(own.pending_objects);
  wanted.stale_after = config.verify.stale_after;
  wanted.seen = join_path(config.state, "seen");
  if (config.storage.is_file()) wanted.directory = join_path(config.storage.directory(), config.log_bucket());
  // Without the identity, which may have moved away as it should, the sealed bytes are verified and nothing is
  // decrypted.
  if (shell.world.files.info(config.keys.identity)) wanted.identities = {config.keys.identity};
  wanted.progress = shell.err_terminal;
  return wanted;
}

Result<int> verify_own_log(const pipeline::Config& config, bool json, Shell& shell) {
  const OpenLog log = TRY(open_log_of(config, shell));
  auto wanted = TRY(own_verification(config, shell));
  wanted.json = json;
  return run_verification(*log.source, wanted, shell.world, "enclave up", shell.out, shell.err);
}

}  // namespace enclave::cli
