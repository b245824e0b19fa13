#include "pipeline/target_packer.h"

namespace enclave::pipeline {

void TargetPacker::pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& run,
                        Parcel& into) {
  for (const event::Document& event : events) {
    const std::uint32_t target = target_of(event, run, into);
    const std::size_t begin = into.bytes.size();
    codec_->encode(event, run, into.bytes);
    add(begin, target, 1, into);
  }
}

void TargetPacker::add(std::size_t begin, std::uint32_t target, std::size_t events, Parcel& into) const {
  into.events += events;
  const auto count = static_cast<std::uint32_t>(events);
  if (options_.last_only || into.pieces.empty() || into.pieces.back().target != target)
    return into.pieces.push_back({begin, into.bytes.size(), target, count});
  into.pieces.back().end = into.bytes.size();
  into.pieces.back().events += count;
}

void TargetPacker::end(Parcel& into) {
  known_.clear();
  if (options_.gzip) compress(into);
}

bool TargetPacker::pack_alike(const AlikeEvents& alike, FilterRun& run, Parcel& into) {
  if (options_.last_only) return false;
  const auto form = LineForm::make(*codec_, alike, run);
  if (!form) return false;
  if (options_.constant != nullptr) {
    name_ = *options_.constant;
  } else {
    name_.clear();
    options_.name(alike.like, run, name_);
    const bool of_the_line = name_.find(alike.marks.line) != std::string::npos;
    if (of_the_line || name_.find(std::to_string(alike.marks.offset)) != std::string::npos) return false;
  }
  const std::uint32_t target = target_named(into);
  const std::size_t begin = into.bytes.size();
  form->append(alike.events, into.bytes);
  add(begin, target, alike.events.size(), into);
  return true;
}

std::uint32_t TargetPacker::target_of(const event::Document& event, FilterRun& run, Parcel& into) {
  if (options_.constant != nullptr) {
    name_ = *options_.constant;
  } else {
    options_.name(event, run, name_);
  }
  return target_named(into);
}

std::uint32_t TargetPacker::target_named(Parcel& into) {
  if (!into.targets.empty() && into.targets.back() == name_) return static_cast<std::uint32_t>(into.targets.size() - 1);
  // Events may name as many targets as there are events: looking through all of them would cost the square.
  const auto [at, is_new] = known_.try_emplace(name_, static_cast<std::uint32_t>(into.targets.size()));
  if (is_new) into.targets.push_back(name_);
  return at->second;
}

void TargetPacker::compress(Parcel& into) {
  std::string compressed;
  std::vector<std::vector<const Parcel::Piece*>> of(into.targets.size());
  for (const auto& piece : into.pieces) of[piece.target].push_back(&piece);
  std::vector<Parcel::Piece> pieces;
  for (std::uint32_t target = 0; target < of.size(); ++target) {
    plain_.clear();
    std::uint32_t events = 0;
    if (options_.last_only) of[target].erase(of[target].begin(), of[target].end() - 1);
    for (const auto* piece : of[target]) {
      plain_.append(into.bytes, piece->begin, piece->end - piece->begin);
      events += piece->events;
    }
    const std::size_t begin = compressed.size();
    gzip_.append(plain_, compressed);
    pieces.push_back({begin, compressed.size(), target, events});
  }
  into.bytes.swap(compressed);
  into.pieces.swap(pieces);
}

}  // namespace enclave::pipeline
