#include "io/who.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "base/encoding.h"
#include "io/posix.h"

namespace enclave::io {
namespace {

std::string name_of_user(uid_t uid) {
  std::array<char, 16 << 10> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return "";
  return found->pw_name;
}

std::optional<std::uint32_t> login_uid() {
  const Descriptor fd(::open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t got = fd.is_open() ? ::read(fd.get(), text.data(), text.size()) : -1;
  const auto number = got > 0 ? parse_number({text.data(), static_cast<std::size_t>(got)}) : Result<std::uint64_t>(0);
  // The largest number: nobody logged in.
  if (got <= 0 || !number || *number >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::string terminal() {
  std::array<char, 256> name{};
  for (const int fd : {STDIN_FILENO, STDERR_FILENO, STDOUT_FILENO})
    if (::ttyname_r(fd, name.data(), name.size()) == 0) return name.data();
  return "";
}

}  // namespace

Who who_runs_this() {
  Who who;
  who.uid = ::getuid();
  who.user = name_of_user(who.uid);
  who.login_uid = login_uid();
  who.tty = terminal();
  who.pid = ::getpid();
  return who;
}

}  // namespace enclave::io
