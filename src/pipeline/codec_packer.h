#pragma once

#include <memory>

#include "pipeline/output.h"

namespace enclave::pipeline {

/// Encodes each event as a piece of its own, without a target.
class CodecPacker final : public Packer {
 public:
  explicit CodecPacker(const CodecChoice& codec) : codec_(codec.make()) {}
  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& run,
            Parcel& into) override {
    for (const event::Document& event : events) {
      const std::size_t begin = into.bytes.size();
      codec_->encode(event, run, into.bytes);
      into.add(begin);
    }
  }

 private:
  std::unique_ptr<Codec> codec_;
};

}  // namespace enclave::pipeline
