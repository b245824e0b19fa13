#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/disk.h"

namespace enclave::sim {

/// A watcher as unreliable as Disk::Options::watching makes it.
class SimWatcher : public Watcher {
 public:
  explicit SimWatcher(Disk& disk);
  ~SimWatcher() override;
  Result<void> watch(const std::string& directory) override;
  void unwatch(const std::string& directory) override;
  bool take(std::vector<Change>& changes) override;
  int descriptor() const override { return -1; }

  void changed(const Inode::Pointer& directory, const std::string& name);
  void modified(const Inode* inode);

 private:
  struct Late {
    std::int64_t due_ns;
    Change change;
  };
  Disk& disk_;
  std::map<std::string, Inode::Pointer> watched_;
  std::vector<Late> waiting_;
  std::set<std::pair<std::string, std::string>> merged_;  ///< as inotify merges equal events that nobody took yet
  bool overflow_ = false;
};

}  // namespace enclave::sim
