#include "io/host.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/files.h"

namespace enclave::io {
namespace {

constexpr std::uint64_t kSmallFile = 1_MiB;
// cloud-init puts the user data there as well.
constexpr std::uint64_t kInstanceFile = 64_MiB;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string name_from(std::string_view text) {
  std::string name(trimmed(text).substr(0, 128));
  for (char& c : name)
    if (!is_plain(c)) c = '-';
  // "." and ".." are path components with a meaning of their own.
  if (name.find_first_not_of('.') == std::string::npos) name.clear();
  return name;
}

// The value of the first "instance_id" member, at whatever depth: cloud-init repeats the same one.
std::string_view instance_in_json(std::string_view json) {
  constexpr std::string_view kMember = "\"instance_id\"";
  auto at = json.find(kMember);
  if (at == std::string_view::npos) return {};
  json = trimmed(json.substr(at + kMember.size()));
  if (json.empty() || json.front() != ':') return {};
  json = trimmed(json.substr(1));
  if (json.empty() || json.front() != '"') return {};
  json.remove_prefix(1);
  return json.substr(0, std::min(json.find('"'), json.size()));
}

}  // namespace

Result<std::string> instance_of(Files& files, const std::string& hostname, const std::string& root) {
  const auto text_of = [&](std::string_view path) -> Result<std::string> {
    auto text = read_file(files, fmt::format("{}{}", root, path), kInstanceFile);
    // Another name would be taken for a cloned machine, so one failed reading (the disk, too many open files) must not
    // change it.
    if (!text && (text.error().fault() == Fault::busy || text.error().fault() == Fault::limit))
      return std::move(text).error().within("finding out which machine this is");
    return text.value_or("");
  };
  if (auto name = name_from(TRY(text_of("/var/lib/cloud/data/instance-id"))); !name.empty()) return name;
  const std::string cloud = TRY(text_of("/run/cloud-init/instance-data.json"));
  if (auto name = name_from(instance_in_json(cloud)); !name.empty()) return name;
  // An image that was not booted yet has an empty file or this word in it.
  if (auto name = name_from(TRY(text_of("/etc/machine-id"))); !name.empty() && name != "uninitialized") return name;
  if (auto name = name_from(hostname); !name.empty()) return name;
  return "unknown";
}

Result<Host> this_host(Files& files) {
  Host host;
  auto boot = read_file(files, "/proc/sys/kernel/random/boot_id", kSmallFile);
  if (!boot) return Error{Fault::unsupported, "the kernel tells no boot id: {}", boot.error().text()};
  host.boot_id = trimmed(*boot);
  if (host.boot_id.size() != 36)
    return Error{Fault::unsupported, "/proc/sys/kernel/random/boot_id: \"{}\" is not a boot id", host.boot_id};
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) host.hostname = name.data();
  host.instance = TRY(instance_of(files, host.hostname));
  return host;
}

Result<Lock> lock_file(const std::string& path) {
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600); }));
  if (!fd.is_open()) return system_error(errno, path, "open it");
  if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return system_error(errno, path, "lock it");
    std::array<char, 32> text{};
    const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
    const auto holder = trimmed(std::string_view(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0));
    return Error{Fault::conflict, "{}: is in use by {}", path,
                 parse_number(holder) ? fmt::format("process {}", holder) : std::string("another process")};
  }
  const std::string mine = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), mine.data(), mine.size(), 0) < 0)
    return system_error(errno, path, "write the process id");
  return Lock(std::move(fd));
}

Result<bool> is_locked(const std::string& path) {
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY); }));
  if (!fd.is_open() && errno == ENOENT) return false;
  if (!fd.is_open()) return system_error(errno, path, "open it");
  if (uninterrupted([&] { return ::flock(fd.get(), LOCK_SH | LOCK_NB); }) == 0) return false;
  if (errno == EWOULDBLOCK) return true;
  return system_error(errno, path, "lock it");
}

Result<Waiter> Waiter::make() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) return system_error(errno, "eventfd", "make one");
  return Waiter(std::move(event));
}

Result<std::vector<int>> Waiter::wait(std::span<const int> descriptors, Nanoseconds at_most) {
  std::vector<pollfd> polled;
  polled.reserve(descriptors.size() + 1);
  for (const int fd : descriptors) polled.push_back({fd, POLLIN, 0});
  polled.push_back({event_.get(), POLLIN, 0});
  const std::int64_t count = std::max<std::int64_t>(at_most.count(), 0);
  const timespec limit{count / 1'000'000'000, count % 1'000'000'000};
  std::vector<int> ready;
  if (::ppoll(polled.data(), polled.size(), at_most.count() < 0 ? nullptr : &limit, nullptr) < 0) {
    if (errno == EINTR) return ready;
    return system_error(errno, "poll", "wait");
  }
  for (const pollfd& one : polled) {
    if (one.revents == 0) continue;
    if (one.fd == event_.get()) {
      std::uint64_t wakes = 0;
      (void)uninterrupted([&] { return ::read(event_.get(), &wakes, sizeof wakes); });
    } else {
      ready.push_back(one.fd);
    }
  }
  return ready;
}

void Waiter::wake() const {
  const int saved = errno;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is awake already.
  (void)uninterrupted([&] { return ::write(event_.get(), &one, sizeof one); });
  errno = saved;
}

std::uint64_t raise_open_files(std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t most = std::min<rlim_t>(limit.rlim_max, wanted);
  if (most > limit.rlim_cur) {
    const rlimit raised{most, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return most;
  }
  return limit.rlim_cur;
}

Result<void> forbid_core_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error(errno, "core dumps", "forbid them");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return system_error(errno, "core dumps", "forbid them");
  return {};
}

}  // namespace enclave::io
