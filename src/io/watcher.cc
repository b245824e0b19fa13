#include "io/watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <unordered_map>

#include "io/posix.h"

namespace enclave::io {
namespace {

constexpr std::uint32_t kInterest = IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE |
                                    IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

class InotifyWatcher final : public Watcher {
 public:
  InotifyWatcher() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), error_(fd_.is_open() ? 0 : errno) {}

  Result<void> watch(const std::string& directory) override {
    if (!fd_.is_open())
      return Error{Fault::limit, "{}: cannot watch: {}; raise fs.inotify.max_user_instances with sysctl", directory,
                   std::strerror(error_)};
    const int id = ::inotify_add_watch(fd_.get(), directory.c_str(), kInterest);
    if (id < 0) {
      const int error = errno;
      // ENOSPC means watches here, not the disk.
      if (error == ENOSPC || error == ENOMEM)
        return Error{Fault::limit, "{}: cannot watch: no watch is left; raise fs.inotify.max_user_watches with sysctl",
                     directory};
      return system_error(error, directory, "watch it");
    }
    // The kernel has one watch per inode: two paths of one directory share it, and so do a removed directory's
    // successor and a path that names another inode now. The last path wins; the old one is forgotten.
    if (const auto known = ids_.find(directory); known != ids_.end() && known->second != id) forget(known->second);
    if (const auto old = directories_.find(id); old != directories_.end() && old->second != directory)
      ids_.erase(old->second);
    ids_[directory] = id;
    directories_[id] = directory;
    return {};
  }

  void unwatch(const std::string& directory) override {
    const auto found = ids_.find(directory);
    if (found == ids_.end()) return;
    forget(found->second);
    ids_.erase(found);
  }

  bool take(std::vector<Change>& changes) override {
    bool lost = false;
    alignas(inotify_event) std::array<char, 64 * 1024> buffer;
    for (;;) {
      const ssize_t got = uninterrupted([&] { return ::read(fd_.get(), buffer.data(), buffer.size()); });
      if (got <= 0) return lost;
      for (ssize_t at = 0; at < got;) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const char* name = buffer.data() + at + sizeof event;
        at += static_cast<ssize_t>(sizeof event + event.len);
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
          lost = true;
        } else {
          add(event, event.len == 0 ? std::string() : std::string(name), changes);
        }
      }
    }
  }

  int descriptor() const override { return fd_.get(); }

 private:
  void add(const inotify_event& event, std::string name, std::vector<Change>& changes) {
    const auto found = directories_.find(event.wd);
    if (found == directories_.end()) return;
    const std::string directory = found->second;
    if ((event.mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
      // Moved away: events would come under a path that is no longer its own.
      if ((event.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(fd_.get(), event.wd);
      ids_.erase(directory);
      directories_.erase(found);
      name.clear();
    }
    // A busy log is one change, however many writes there were.
    if (!changes.empty() && changes.back().directory == directory && changes.back().name == name) return;
    changes.push_back({directory, std::move(name)});
  }

  void forget(int id) {
    ::inotify_rm_watch(fd_.get(), id);
    directories_.erase(id);
  }

  Descriptor fd_;
  int error_;
  std::map<std::string, int> ids_;
  std::unordered_map<int, std::string> directories_;
};

}  // namespace

std::unique_ptr<Watcher> inotify_watcher() { return std::make_unique<InotifyWatcher>(); }

}  // namespace enclave::io
