#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace enclave::io {

/// Who runs this process, as far as the kernel and the user database say.
struct Who {
  std::uint32_t uid = 0;
  std::string user;                        ///< "" where the uid has no name
  std::optional<std::uint32_t> login_uid;  ///< who logged in, also behind su and sudo; where the kernel audits
  std::string tty;                         ///< "/dev/pts/3"; "" without a terminal
  int pid = 0;
};
Who who_runs_this();

}  // namespace enclave::io
