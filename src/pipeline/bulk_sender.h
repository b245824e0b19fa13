#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/http.h"
#include "io/patience.h"
#include "pipeline/bulk_pack.h"
#include "pipeline/deflater.h"

namespace enclave::pipeline {

/// Where bulk requests go, and how.
struct BulkOptions {
  std::string plugin;             ///< its name, for dead letters
  std::vector<std::string> urls;  ///< of _bulk, one for each host
  io::HttpOptions http;
  io::HttpHeaders headers;
  int compression_level = 0;  ///< of gzip; 0: none
  Nanoseconds retry_first = std::chrono::seconds(2), retry_most = std::chrono::seconds(64);
  std::uint64_t request_bytes_max = 20 << 20;
  std::size_t request_events_max = 5000;
  BulkActions actions;
};

/// Elasticsearch and OpenSearch. An event is done when the server says so of it: what it is too busy for is sent again,
/// what it refuses goes to the dead letters. A conflict of versions is done: it is there already.
class BulkOutput final : public Output {
 public:
  explicit BulkOutput(BulkOptions options)
      : options_(std::move(options)), gzip_(Deflater::Form::gzip, std::max(options_.compression_level, 1)) {}
  Result<void> open(const OutputSetup& setup) override;
  std::unique_ptr<Packer> packer() const override { return std::make_unique<BulkPacker>(options_.actions); }
  bool put_back(const Refused& refused, Parcel& into) const override;
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override;
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  using Pieces = std::vector<std::string_view>;
  Result<void> send_all(Pieces pieces);
  Result<void> send_some(std::span<const std::string_view> pieces, Pieces& again);
  Result<io::HttpResponse> exchange(std::string_view body);
  Result<void> judge(std::span<const std::string_view> pieces, const io::HttpResponse& response, Pieces& again);
  Result<void> refused(std::span<const std::string_view> pieces, const io::HttpResponse& response, Pieces& again);
  Result<void> bury(std::string_view piece, std::string_view reason);
  void trouble(std::string_view text);

  const BulkOptions options_;
  Deflater gzip_;
  std::optional<OutputSetup> setup_;
  std::unique_ptr<io::HttpClient> http_;
  std::optional<io::Patience> patience_;
  event::JsonReader json_;
  std::string body_, compressed_;
  std::size_t host_ = 0;
  bool troubled_ = false;
  std::uint64_t last_ = 0;
};

}  // namespace enclave::pipeline
