#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/time.h"
#include "io/posix.h"

/// The machine and the process: who it is, what it holds, and how it waits.
namespace enclave::io {

struct Host {
  std::string boot_id;   ///< 36 characters, of the kernel; another one after each boot
  std::string instance;  ///< see instance_of()
  std::string hostname;
};

/// Fault::unsupported when the kernel tells no boot id (no /proc).
Result<Host> this_host(Files& files);

/// What tells this machine from its clones: the cloud's instance id (cloud-init), else the machine id (machine-id(5)),
/// else the host name. At most 128 characters of A-Z a-z 0-9 . _ -; other characters become "-". Never empty.
/// `root` is put before the paths; tests give one.
Result<std::string> instance_of(Files& files, const std::string& hostname, const std::string& root = "");

/// An exclusive lock on a file; gone when the object or the process is.
class Lock {
 public:
  explicit Lock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

/// Makes the file (0600) if need be, locks it and writes the process id into it. Fault::conflict, with the holder's
/// process id in the text, when it is locked already: by another process or by this one.
Result<Lock> lock_file(const std::string& path);

/// Whether somebody holds the lock of lock_file(). Takes it for a moment, shared: a lock_file() at that moment fails.
Result<bool> is_locked(const std::string& path);

/// Sleeps until a descriptor is readable, somebody calls wake(), or the time is over.
class Waiter {
 public:
  static Result<Waiter> make();
  /// The descriptors that are readable, have hung up or are in error; none when it was woken, the time is over or a
  /// signal came. A negative descriptor is skipped. Negative `at_most`: no end. Wakes that came before count, once.
  Result<std::vector<int>> wait(std::span<const int> descriptors, Nanoseconds at_most);
  /// From any thread, and from a signal handler.
  void wake() const;
  /// Readable after wake(), until the next wait().
  int descriptor() const { return event_.get(); }

 private:
  explicit Waiter(Descriptor event) : event_(std::move(event)) {}
  Descriptor event_;
};

/// Raises the soft limit of open files to the hard one, at most `wanted`; gives what it is then.
std::uint64_t raise_open_files(std::uint64_t wanted);

/// No core file and no reading of this process's memory by others of the same user: it holds keys.
Result<void> forbid_core_dumps();

}  // namespace enclave::io
