#include "event/arena.h"

#include <algorithm>
#include <cstring>

namespace enclave::event {

std::span<char> Arena::take_elsewhere(std::size_t bytes, std::size_t alignment) {
  constexpr std::size_t kChunkBytes = 64 * 1024;
  if (current_ < chunks_.size()) ++current_;
  if (current_ < chunks_.size()) {
    bytes_ += chunks_[current_].size;
    return take(bytes, alignment);
  }
  const std::size_t size = std::max(bytes, kChunkBytes);
  chunks_.push_back({std::unique_ptr<char[]>(new char[size]), size, bytes});
  current_ = chunks_.size() - 1;
  bytes_ += size;
  return {chunks_.back().bytes.get(), bytes};
}

std::string_view Arena::store(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto room = allocate_text(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  return {room.data(), room.size()};
}

void Arena::shrink_last(std::size_t unused) {
  if (current_ < chunks_.size()) chunks_[current_].used -= std::min(unused, chunks_[current_].used);
}

void Arena::clear() {
  constexpr std::size_t kKeepBytes = 4 * 1024 * 1024;
  std::size_t kept = 0;
  std::erase_if(chunks_, [&](const Chunk& chunk) {
    kept += chunk.size;
    return kept > kKeepBytes;
  });
  // What is kept is not in use: whoever reads until so much is in use would find no room in it, and never read again.
  bytes_ = 0;
  for (auto& chunk : chunks_) chunk.used = 0;
  current_ = 0;
}

}  // namespace enclave::event
