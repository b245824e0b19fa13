#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace enclave::tampering {

struct Ran {
  int status = -1;
  std::string output;  ///< standard output and error
};

/// Runs a command line in sh.
inline Ran run(const std::string& command) {
  Ran ran;
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    ran.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

}  // namespace enclave::tampering
