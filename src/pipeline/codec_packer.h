#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "pipeline/output.h"

namespace enclave::pipeline {

/// Encodes each event as a piece of its own, without a target.
class CodecPacker final : public Packer {
 public:
  explicit CodecPacker(const CodecChoice& codec) : codec_(codec.make()) {}
  explicit CodecPacker(std::unique_ptr<Codec> codec) : codec_(std::move(codec)) {}
  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& run,
            Parcel& into) override {
    for (const event::Document& event : events) {
      const std::size_t begin = into.bytes.size();
      codec_->encode(event, run, into.bytes);
      into.add(begin);
    }
  }
  bool pack_alike(const AlikeEvents& alike, FilterRun& run, Parcel& into) override {
    const auto form = LineForm::make(*codec_, alike, run);
    if (!form) return false;
    ends_.clear();
    std::size_t begin = into.bytes.size();
    form->append(alike.events, into.bytes, &ends_);
    for (const std::size_t end : ends_) into.pieces.push_back({std::exchange(begin, end), end, 0, 1});
    into.events += alike.events.size();
    return true;
  }

 private:
  std::vector<std::size_t> ends_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace enclave::pipeline
