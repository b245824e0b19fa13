#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace enclave::event {

/// Memory that is given out piece by piece and taken back all at once. Nothing in it is destroyed: only what needs no
/// destructor may live there. Movable: what was given out stays where it is. Not thread-safe.
class Arena {
 public:
  /// Uninitialised bytes, aligned for any scalar.
  std::span<char> allocate(std::size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
  /// The same without alignment: for text.
  std::span<char> allocate_text(std::size_t bytes) { return take(bytes, 1); }
  std::string_view store(std::string_view bytes);
  /// Gives back the unused end of the latest allocate_text().
  void shrink_last(std::size_t unused);
  /// Room for `count` objects, not constructed.
  template <class T>
  T* room_for(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    return reinterpret_cast<T*>(allocate(count * sizeof(T)).data());
  }

  /// Takes everything back and keeps up to 4 MiB of memory: one long line must not hold its own for ever.
  void clear();
  /// Memory in use.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  // Here, as it is called several times for each event.
  std::span<char> take(std::size_t bytes, std::size_t alignment) {
    if (current_ < chunks_.size()) {
      Chunk& chunk = chunks_[current_];
      // Chunks begin where any scalar may.
      const std::size_t from = (chunk.used + alignment - 1) & ~(alignment - 1);
      if (from <= chunk.size && chunk.size - from >= bytes) {
        chunk.used = from + bytes;
        return {chunk.bytes.get() + from, bytes};
      }
    }
    return take_elsewhere(bytes, alignment);
  }
  std::span<char> take_elsewhere(std::size_t bytes, std::size_t alignment);

  std::vector<Chunk> chunks_;
  std::size_t current_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace enclave::event
