#include "pipeline/output.h"

#include <algorithm>

namespace enclave::pipeline {

std::uint32_t Parcel::target(std::string_view name) {
  if (!targets.empty() && targets.back() == name) return static_cast<std::uint32_t>(targets.size() - 1);
  const auto found = std::ranges::find(targets, name);
  if (found != targets.end()) return static_cast<std::uint32_t>(found - targets.begin());
  targets.emplace_back(name);
  return static_cast<std::uint32_t>(targets.size() - 1);
}

void Parcel::append(const Parcel& other) {
  const std::size_t begin = bytes.size();
  bytes += other.bytes;
  // Some outputs give the first target a meaning, and have it before there is any event.
  if (targets.empty()) targets = other.targets;
  for (const Piece& piece : other.pieces) {
    const bool has_target = piece.target < other.targets.size();
    pieces.push_back({begin + piece.begin, begin + piece.end,
                      has_target ? target(other.targets[piece.target]) : piece.target, piece.events});
  }
  events += other.events;
}

}  // namespace enclave::pipeline
