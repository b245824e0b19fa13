#include "sim/inode.h"

#include <algorithm>

namespace enclave::sim {
namespace {
constexpr std::uint64_t kSectorBytes = 512;
}

void Inode::apply(const Write& write, std::string& to) {
  if (write.truncation) {
    to.resize(write.offset, '\0');
    return;
  }
  if (to.size() < write.offset + write.bytes.size()) to.resize(write.offset + write.bytes.size(), '\0');
  to.replace(write.offset, write.bytes.size(), write.bytes);
}

void Inode::apply_torn(const Write& write, SimRandom& random, std::string& to) {
  if (write.truncation || write.bytes.empty()) return apply(write, to);
  if (!random.chance(0.3)) {
    Write part = write;
    part.bytes.resize(random.below(write.bytes.size() + 1));
    apply(part, to);
    // The size can reach the disk before the bytes do.
    if (random.chance(0.3)) to.resize(std::max<std::size_t>(to.size(), write.offset + write.bytes.size()), '\0');
    return;
  }
  const std::uint64_t end = write.offset + write.bytes.size();
  const bool garbage = random.chance(0.3);
  if (to.size() < end) to.resize(end, '\0');
  for (std::uint64_t at = write.offset; at < end;) {
    const std::uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    const std::uint64_t fate = random.below(garbage ? 3 : 2);
    for (std::uint64_t i = at; i < next; ++i) {
      if (fate == 0) to[i] = write.bytes[i - write.offset];
      if (fate == 2) to[i] = static_cast<char>(random.next());
    }
    at = next;
  }
}

void Inode::write(std::uint64_t offset, std::string_view bytes) {
  writes_.push_back({false, offset, std::string(bytes)});
  apply(writes_.back(), content_);
}

void Inode::truncate(std::uint64_t bytes) {
  writes_.push_back({true, bytes, {}});
  apply(writes_.back(), content_);
}

void Inode::sync_content() {
  for (const auto& write : writes_) apply(write, synced_content_);
  writes_.clear();
}

void Inode::drop_dirty(bool evicted) {
  writes_.clear();
  if (evicted) content_ = synced_content_;
}

void Inode::lose_power_content(SimRandom& random) {
  std::vector<const Write*> survivors;
  const std::uint64_t fate = random.below(4);
  const std::size_t prefix = random.below(writes_.size() + 1);
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    const bool lives = fate == 1 || (fate == 2 && i < prefix) || (fate == 3 && random.chance(0.5));
    if (lives) survivors.push_back(&writes_[i]);
  }
  for (const Write* write : survivors) {
    if (write == survivors.back() && fate != 1) {
      apply_torn(*write, random, synced_content_);
    } else {
      apply(*write, synced_content_);
    }
  }
  writes_.clear();
  content_ = synced_content_;
}

void Inode::apply(const NameChange& change, Names& to) {
  for (const auto& [name, inode] : change.edits) {
    if (inode == nullptr) {
      to.erase(name);
    } else {
      to[name] = inode;
    }
  }
}

void Inode::change(NameChange change) {
  apply(change, names_);
  changes_.push_back(std::move(change));
}

void Inode::sync_names(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) apply(changes_[i], synced_names_);
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Inode::lose_power_names(std::size_t count) {
  sync_names(count);
  changes_.clear();
  names_ = synced_names_;
}

}  // namespace enclave::sim
