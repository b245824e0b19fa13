#include "event/batch.h"

#include <algorithm>
#include <cstring>

namespace enclave::event {

std::span<char> Batch::allocate(std::size_t bytes) {
  constexpr std::size_t kChunkBytes = 64 * 1024;
  while (current_ < chunks_.size()) {
    Chunk& chunk = chunks_[current_];
    if (chunk.size - chunk.used >= bytes) {
      chunk.used += bytes;
      return {chunk.bytes.get() + chunk.used - bytes, bytes};
    }
    ++current_;
  }
  const std::size_t size = std::max(bytes, kChunkBytes);
  chunks_.push_back({std::unique_ptr<char[]>(new char[size]), size, bytes});
  current_ = chunks_.size() - 1;
  arena_bytes_ += size;
  return {chunks_.back().bytes.get(), bytes};
}

std::string_view Batch::store(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto room = allocate(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  return {room.data(), room.size()};
}

void Batch::shrink_last(std::size_t unused) {
  if (current_ < chunks_.size()) chunks_[current_].used -= std::min(unused, chunks_[current_].used);
}

std::uint32_t Batch::source(std::string_view name, std::string_view from) {
  for (std::size_t i = sources.size(); i-- > 0;)
    if (sources[i].source == name) return static_cast<std::uint32_t>(i);
  sources.push_back({std::string(name), std::string(from), std::string(from), 0, 0, {}});
  return static_cast<std::uint32_t>(sources.size() - 1);
}

void Batch::clear() {
  events.clear();
  sources.clear();
  // One long line must not hold its memory for ever.
  constexpr std::size_t kKeepBytes = 4 * 1024 * 1024;
  std::size_t kept = 0;
  std::erase_if(chunks_, [&](const Chunk& chunk) {
    kept += chunk.size;
    return kept > kKeepBytes;
  });
  arena_bytes_ = 0;
  for (auto& chunk : chunks_) {
    chunk.used = 0;
    arena_bytes_ += chunk.size;
  }
  current_ = 0;
}

}  // namespace enclave::event
