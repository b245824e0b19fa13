#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "pipeline/deflater.h"
#include "pipeline/output.h"

namespace enclave::pipeline {

/// Encodes events and puts those of one target together, their order kept.
class TargetPacker final : public Packer {
 public:
  struct Options {
    const CodecChoice* codec = nullptr;
    const std::string* constant = nullptr;  ///< the only target; null: `name` makes one for each event
    std::function<void(const event::Document& event, FilterRun& run, std::string& into)> name;
    bool gzip = false;       ///< one member for each target
    bool last_only = false;  ///< of the events of a target only the last one matters: each is a piece of its own
  };
  explicit TargetPacker(Options options) : options_(std::move(options)), codec_(options_.codec->make()) {}
  void pack(const event::Batch& batch, std::span<const event::Document> events, FilterRun& run, Parcel& into) override;
  bool pack_alike(const AlikeEvents& alike, FilterRun& run, Parcel& into) override;
  void end(Parcel& into) override;

 private:
  void add(std::size_t begin, std::uint32_t target, std::size_t events, Parcel& into) const;
  std::uint32_t target_of(const event::Document& event, FilterRun& run, Parcel& into);
  std::uint32_t target_named(Parcel& into);
  void compress(Parcel& into);

  const Options options_;
  std::unique_ptr<Codec> codec_;
  Deflater gzip_{Deflater::Form::gzip, kGzipLevel};
  std::string name_, plain_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

}  // namespace enclave::pipeline
