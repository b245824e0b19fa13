#include <algorithm>

#include "base/crc.h"
#include "base/encoding.h"
#include "base/files.h"
#include "cloud/parallel.h"
#include "cloud/s3_transfer.h"
#include "cloud/upload_journal.h"

namespace enclave::cloud {
namespace {

// Small enough to be still in the processor's cache when it has been read.
constexpr std::size_t kBlock = 8 * crypto::kAgeStreamChunk;

Error interrupted() { return Error{Fault::busy, "interrupted"}; }

// Exactly `into.size()` bytes.
Result<void> read_whole(File& file, std::uint64_t at, std::span<char> into) {
  while (!into.empty()) {
    const std::size_t got = TRY(file.read_at(at, into));
    if (got == 0) return Error{Fault::conflict, "it became shorter while it was read"};
    at += got;
    into = into.subspan(got);
  }
  return {};
}

struct Digests {
  crypto::Digest sha256{};
  std::vector<std::uint32_t> parts;  ///< CRC-32C of each
};

class FileUpload {
 public:
  FileUpload(World world, ObjectBucket& bucket, const UploadFrom& from, const TransferOptions& options, S3Told& told)
      : world_(world), bucket_(bucket), from_(from), options_(options), told_(told) {}

  Result<Stored> run() {
    file_ = TRY(world_.files.open(from_.path));
    const FileInfo info = TRY(file_->info());
    stored_.plain_bytes = info.bytes;
    part_bytes_ = TRY(part_bytes_for(info.bytes, options_.part_bytes));
    if (info.bytes <= part_bytes_) return small();
    digests_ = TRY(digests());
    TRY(prepare());
    auto sent = send_parts();
    if (!sent) return give_up(std::move(sent).error());
    auto version = bucket_.complete(upload_, parts_, told_);
    if (!version) return give_up(std::move(version).error());
    stored_.version = std::move(*version);
    if (journal_) TRY(journal_->remove());
    return stored_;
  }

 private:
  bool encrypted() const { return !from_.recipients.empty(); }

  Result<Stored> small() {
    std::string plain(stored_.plain_bytes, '\0');
    TRY(read_whole(*file_, 0, plain));
    PlainFacts facts{encrypted(), plain.size(), crypto::sha256(plain)};
    const std::string_view parts[] = {plain};
    const std::string sealed = encrypted() ? TRY(crypto::age_encrypt(from_.recipients, parts, world_.random)) : "";
    const std::string_view bytes = encrypted() ? std::string_view(sealed) : std::string_view(plain);
    stored_.stored_bytes = bytes.size();
    stored_.version = TRY(bucket_.put(from_.key, bytes, metadata_of(facts), told_));
    if (options_.progress) options_.progress(plain.size());
    return stored_;
  }

  // The metadata is sent first, so the digest of the plain text must be known before. The CRCs prove that every part is
  // sent as it was when it was digested.
  Result<Digests> digests() {
    Digests digests;
    crypto::Sha256 whole;
    std::string block(256 << 10, '\0');
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < stored_.plain_bytes;) {
      if (options_.is_stopped()) return interrupted();
      const std::uint64_t left = std::min(stored_.plain_bytes - at, part_bytes_ - at % part_bytes_);
      const std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
      TRY(read_whole(*file_, at, std::span(block.data(), take)));
      const std::string_view bytes(block.data(), take);
      whole.update(bytes);
      crc = crc32c(bytes, crc);
      at += take;
      if (at % part_bytes_ != 0 && at != stored_.plain_bytes) continue;
      digests.parts.push_back(crc);
      crc = 0;
    }
    digests.sha256 = whole.finish();
    return digests;
  }

  std::string recipients() const {
    std::string text;
    for (const auto& recipient : from_.recipients) text += (text.empty() ? "" : " ") + recipient.text();
    return text;
  }

  Result<void> prepare() {
    if (!options_.journals.empty()) {
      journal_ = TRY(UploadJournal::open(world_, options_.journals, bucket_.name(), from_.key, from_.path));
      auto before = TRY(journal_->load());
      if (before && TRY(go_on(*before))) return {};
    }
    if (encrypted()) writer_.emplace(TRY(crypto::AgeWriter::begin(from_.recipients, world_.random)));
    const PlainFacts facts{encrypted(), stored_.plain_bytes, digests_.sha256};
    upload_ = TRY(bucket_.begin(from_.key, metadata_of(facts), told_));
    done_.assign(digests_.parts.size(), false);
    return remember();
  }

  // Whether the upload that the journal tells of is this one, and still there. Another one is ended.
  Result<bool> go_on(UploadState& before) {
    upload_ = {before.key, before.id};
    const bool same = before.store == bucket_.name() && before.key == from_.key &&
                      before.bytes == stored_.plain_bytes && before.sha256 == to_hex(bytes_of(digests_.sha256)) &&
                      before.recipients == recipients() && before.part_bytes == part_bytes_;
    auto there = same ? bucket_.parts(upload_) : Result<std::vector<UploadPart>>(std::vector<UploadPart>());
    if (!there && there.error().fault() != Fault::absent) return std::move(there).error();
    if (!same || !there) {
      TRY(bucket_.abort(upload_));
      TRY(journal_->remove());
      journal_ = TRY(UploadJournal::open(world_, options_.journals, bucket_.name(), from_.key, from_.path));
      return false;
    }
    if (encrypted()) {
      auto writer = crypto::AgeWriter::resume(before.preface, before.file_key.clone());
      if (!writer) return std::move(writer).error();
      writer_.emplace(std::move(*writer));
    }
    done_.assign(digests_.parts.size(), false);
    for (const auto& part : before.parts) {
      const auto same_part = [&](const UploadPart& other) {
        return other.number == part.number && other.etag == part.etag && other.bytes == part.bytes;
      };
      const bool known = part.number >= 1 && part.number <= done_.size() && !done_[part.number - 1];
      if (!known || std::none_of(there->begin(), there->end(), same_part)) continue;
      done_[part.number - 1] = true;
      parts_.push_back(part);
    }
    stored_.resumed = true;
    TRY(remember());
    return true;
  }

  Result<void> remember() {
    stored_.stored_bytes = writer_ ? writer_->file_bytes(stored_.plain_bytes) : stored_.plain_bytes;
    if (!journal_) return {};
    UploadState state;
    state.store = bucket_.name();
    state.key = from_.key;
    state.path = from_.path;
    state.id = upload_.id;
    state.sha256 = to_hex(bytes_of(digests_.sha256));
    state.bytes = stored_.plain_bytes;
    state.part_bytes = part_bytes_;
    state.recipients = recipients();
    if (writer_) state.preface = writer_->preface();
    if (writer_) state.file_key = writer_->file_key().clone();
    state.parts = parts_;
    return journal_->begin(state);
  }

  Result<void> send_parts() {
    std::vector<std::string> buffers(options_.parallel);
    return in_parallel(options_.parallel, done_.size(), [&](unsigned worker, std::uint64_t i) -> Result<void> {
      if (options_.is_stopped()) return interrupted();
      const std::uint64_t from = i * part_bytes_;
      const std::uint64_t bytes = std::min(part_bytes_, stored_.plain_bytes - from);
      if (!done_[i]) TRY(send_part(static_cast<std::uint32_t>(i), buffers[worker]));
      if (options_.progress) options_.progress(bytes);
      return {};
    });
  }

  // Where plain bytes stand in the object; not of the end of the file.
  std::uint64_t offset_of(std::uint64_t plain) const {
    if (!writer_ || plain == 0) return plain;
    return writer_->preface().size() + plain / crypto::kAgeStreamChunk * crypto::kAgeStreamSealedChunk;
  }

  std::size_t writer_bytes() const { return writer_ ? writer_->preface().size() : 0; }

  Result<void> send_part(std::uint32_t i, std::string& out) {
    const std::uint64_t from = i * part_bytes_;
    const std::uint64_t end = std::min(from + part_bytes_, stored_.plain_bytes);
    out.clear();
    if (writer_ && i == 0) out = writer_->preface();
    out.reserve(part_bytes_ + part_bytes_ / 4096 + writer_bytes());
    std::string block(kBlock, '\0');
    std::uint32_t crc = 0;
    for (std::uint64_t at = from; at < end; at += kBlock) {
      const std::span<char> into(block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, end - at)));
      TRY(read_whole(*file_, at, into));
      const std::string_view plain(into.data(), into.size());
      crc = crc32c(plain, crc);
      if (writer_) {
        writer_->seal(at / crypto::kAgeStreamChunk, plain, at + into.size() == stored_.plain_bytes, out);
      } else {
        out.append(plain);
      }
    }
    if (crc != digests_.parts[i])
      return Error{Fault::conflict, "{} changed while it was read; upload it when nobody writes it", from_.path};
    S3Told told;
    auto part = bucket_.put_part(upload_, i + 1, offset_of(from), out, told);
    const std::lock_guard lock(mutex_);
    if (!told.request_id.empty() || !part) told_ = told;
    if (!part) return std::move(part).error();
    parts_.push_back(*part);
    return journal_ ? journal_->add(*part) : Result<void>();
  }

  // What cannot be gone on with is taken back.
  Error give_up(Error error) {
    const bool later = error.fault() == Fault::busy && journal_;
    if (later) return error;
    (void)bucket_.abort(upload_);
    if (journal_) (void)journal_->remove();
    return error;
  }

  World world_;
  ObjectBucket& bucket_;
  const UploadFrom& from_;
  const TransferOptions& options_;
  S3Told& told_;
  std::unique_ptr<File> file_;
  std::uint64_t part_bytes_ = 0;
  Digests digests_;
  Stored stored_;
  std::optional<crypto::AgeWriter> writer_;
  MultipartUpload upload_;
  std::unique_ptr<UploadJournal> journal_;
  std::mutex mutex_;
  std::vector<char> done_;
  std::vector<UploadPart> parts_;
};

}  // namespace

Result<Stored> upload_file(World world, ObjectBucket& bucket, const UploadFrom& from, const TransferOptions& options,
                           S3Told& told) {
  return FileUpload(world, bucket, from, options, told).run();
}

Result<std::size_t> sweep_uploads(World world, const std::string& journals, Nanoseconds older_than,
                                  const OpenBucket& open) {
  const auto entries = world.files.list(journals);
  if (!entries && entries.error().fault() == Fault::absent) return std::size_t{0};
  if (!entries) return entries.error();
  std::size_t swept = 0;
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(kUploadJournalEnding) || entry.name.starts_with('.')) continue;
    const std::string path = join_path(journals, entry.name);
    const auto info = world.files.info(path);
    if (!info || world.clock.wall_ns() - info->modified_ns < older_than.count()) continue;
    constexpr std::uint64_t kJournalBytesMax = 4 << 20;
    const auto text = read_file(world.files, path, kJournalBytesMax);
    const auto state = text ? parse_upload_state(*text) : Result<UploadState>(text.error());
    if (!state) continue;
    ObjectBucket* bucket = open(state->store);
    if (bucket == nullptr) continue;
    auto journal = UploadJournal::open(world, journals, state->store, state->key, state->path);
    if (!journal) continue;
    TRY(bucket->abort({state->key, state->id}));
    TRY((*journal)->remove());
    ++swept;
  }
  return swept;
}

}  // namespace enclave::cloud
