#include <algorithm>

#include "cloud/parallel.h"
#include "cloud/s3_transfer.h"

namespace enclave::cloud {
namespace {

constexpr std::uint32_t kPartsMax = 10'000;
// Its length is not known: parts become larger every so many, so that 10,000 of them reach for about 500 GiB.
constexpr std::uint32_t kPartsOfOneSize = 2'000;

class StreamUpload {
 public:
  StreamUpload(World world, ObjectBucket& bucket, const UploadFrom& from, const ReadStream& read,
               const TransferOptions& options, S3Told& told)
      : world_(world), bucket_(bucket), from_(from), read_(read), options_(options), told_(told) {}

  Result<Stored> run() {
    part_bytes_ = TRY(part_bytes_for(0, options_.part_bytes));
    Piece first = TRY(next());
    if (first.last) return small(first.plain);
    if (!from_.recipients.empty()) writer_.emplace(TRY(crypto::AgeWriter::begin(from_.recipients, world_.random)));
    upload_ = TRY(bucket_.begin(from_.key, metadata_of({!from_.recipients.empty(), {}, {}}), told_));
    auto sent = send_all(std::move(first));
    auto version = sent ? bucket_.complete(upload_, parts_, told_) : Result<std::string>(sent.error());
    if (!version) {
      (void)bucket_.abort(upload_);
      return std::move(version).error();
    }
    stored_.version = std::move(*version);
    return stored_;
  }

 private:
  struct Piece {
    std::uint32_t number = 0;
    std::uint64_t from = 0;  ///< in the plain text
    std::uint64_t offset = 0;
    std::string plain;
    bool last = false;
  };

  // Reads one byte beyond the piece, since the last one is sealed as such.
  Result<Piece> next() {
    if (options_.is_stopped()) return Error{Fault::busy, "interrupted"};
    if (number_ == kPartsMax)
      return Error{Fault::limit, "the input has more than {}; give larger parts with --part-size",
                   format_bytes(stored_.plain_bytes)};
    if (number_ > 0 && number_ % kPartsOfOneSize == 0) part_bytes_ *= 2;
    Piece piece;
    piece.number = ++number_;
    piece.from = stored_.plain_bytes;
    piece.offset = stored_.stored_bytes;
    piece.plain.resize(part_bytes_ + 1);
    std::size_t filled = held_.size();
    std::copy(held_.begin(), held_.end(), piece.plain.begin());
    while (filled < piece.plain.size()) {
      const std::size_t got = TRY(read_(std::span(piece.plain).subspan(filled)));
      if (got == 0) break;
      filled += got;
    }
    piece.last = filled < piece.plain.size();
    held_ = piece.last ? "" : piece.plain.substr(filled - 1);
    piece.plain.resize(piece.last ? filled : filled - 1);
    stored_.plain_bytes += piece.plain.size();
    return piece;
  }

  Result<Stored> small(const std::string& plain) {
    const PlainFacts facts{!from_.recipients.empty(), plain.size(), crypto::sha256(plain)};
    const std::string_view parts[] = {plain};
    const std::string sealed =
        from_.recipients.empty() ? plain : TRY(crypto::age_encrypt(from_.recipients, parts, world_.random));
    stored_.stored_bytes = sealed.size();
    stored_.version = TRY(bucket_.put(from_.key, sealed, metadata_of(facts), told_));
    if (options_.progress) options_.progress(plain.size());
    return stored_;
  }

  Result<void> send_all(Piece first) {
    std::optional<Piece> waiting(std::move(first));
    bool over = false;
    return in_threads(options_.parallel, [&](unsigned) -> Result<void> {
      for (;;) {
        std::unique_lock lock(mutex_);
        if (over) return {};
        auto piece = waiting ? Result<Piece>(std::move(*waiting)) : next();
        waiting.reset();
        // Nobody takes the next piece after the last one or a failure.
        over = !piece || piece->last;
        if (!piece) return std::move(piece).error();
        stored_.stored_bytes = piece->offset + sealed_bytes(*piece);
        lock.unlock();
        auto sent = send(*piece);
        lock.lock();
        if (!sent) over = true;
        if (!sent) return sent;
      }
    });
  }

  std::uint64_t sealed_bytes(const Piece& piece) const {
    if (!writer_) return piece.plain.size();
    const std::uint64_t chunks = piece.plain.size() / crypto::kAgeStreamChunk +
                                 (piece.plain.size() % crypto::kAgeStreamChunk != 0 || piece.plain.empty() ? 1 : 0);
    return (piece.number == 1 ? writer_->preface().size() : 0) + piece.plain.size() + 16 * chunks;
  }

  Result<void> send(const Piece& piece) {
    std::string sealed;
    if (writer_) {
      sealed.reserve(sealed_bytes(piece));
      if (piece.number == 1) sealed = writer_->preface();
      writer_->seal(piece.from / crypto::kAgeStreamChunk, piece.plain, piece.last, sealed);
    }
    S3Told told;
    auto part = bucket_.put_part(upload_, piece.number, piece.offset, writer_ ? sealed : piece.plain, told);
    if (options_.progress) options_.progress(piece.plain.size());
    const std::lock_guard lock(mutex_);
    if (!told.request_id.empty() || !part) told_ = told;
    if (!part) return std::move(part).error();
    parts_.push_back(std::move(*part));
    return {};
  }

  World world_;
  ObjectBucket& bucket_;
  const UploadFrom& from_;
  const ReadStream& read_;
  const TransferOptions& options_;
  S3Told& told_;
  std::uint64_t part_bytes_ = 0;
  std::uint32_t number_ = 0;
  std::string held_;  ///< the byte that was read too much
  Stored stored_;
  std::optional<crypto::AgeWriter> writer_;
  MultipartUpload upload_;
  std::mutex mutex_;
  std::vector<UploadPart> parts_;
};

}  // namespace

Result<Stored> upload_stream(World world, ObjectBucket& bucket, const UploadFrom& from, const ReadStream& read,
                             const TransferOptions& options, S3Told& told) {
  return StreamUpload(world, bucket, from, read, options, told).run();
}

}  // namespace enclave::cloud
