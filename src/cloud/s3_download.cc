#include <algorithm>
#include <map>

#include "base/crc.h"
#include "base/encoding.h"
#include "base/files.h"
#include "cloud/parallel.h"
#include "cloud/s3_transfer.h"
#include "io/append_file.h"

namespace enclave::cloud {
namespace {

constexpr std::uint64_t kChunk = crypto::kAgeStreamChunk;
// Of the header and its nonce, for files with a few recipients; where it is longer, the first bytes are fetched again.
constexpr std::uint64_t kPrefaceGuess = 2 << 10;

}  // namespace

Result<ObjectReader> ObjectReader::open(ObjectBucket& bucket, const std::string& key, const std::string& version,
                                        const Options& options, S3Told& told) {
  ObjectReader reader;
  reader.bucket_ = &bucket;
  const std::uint64_t chunks = (options.ahead_bytes + kChunk - 1) / kChunk;
  ObjectPart part =
      TRY(bucket.range(key, version, 0, chunks * crypto::kAgeStreamSealedChunk + kPrefaceGuess, "", told));
  reader.head_ = std::move(part.head);
  reader.ahead_ = std::move(part.bytes);
  if (reader.head_.info.version.empty()) reader.head_.info.version = version;
  reader.facts_ = TRY(facts_in(reader.head_.metadata));
  reader.bytes_ = reader.head_.info.bytes;
  if (options.as_stored) {
    reader.facts_ = {};
    return reader;
  }
  const bool is_age = reader.ahead_.starts_with(crypto::kAgeMagic);
  if (reader.facts_.encrypted && !is_age)
    return Error{Fault::corrupt, "{}: \"{}\" was stored encrypted, but is no age file now", bucket.name(), key};
  // What others have stored as an age file is opened too, but a plain one of ours may be an age file in itself.
  const bool ours_plain = !reader.facts_.encrypted && reader.facts_.sha256.has_value();
  if (!is_age || ours_plain) return reader;
  auto age = crypto::AgeReader::begin(reader.ahead_, reader.head_.info.bytes, options.identities);
  if (!age) return std::move(age).error().within(fmt::format("{}: \"{}\"", bucket.name(), key));
  reader.age_.emplace(std::move(*age));
  reader.bytes_ = reader.age_->plain_bytes();
  if (reader.facts_.bytes && *reader.facts_.bytes != reader.bytes_)
    return Error{Fault::corrupt,       "{}: \"{}\" had {} bytes when it was stored, and has {} now",
                 bucket.name(),        key,
                 *reader.facts_.bytes, reader.bytes_};
  return reader;
}

Result<std::string> ObjectReader::fetched(std::uint64_t first, std::uint64_t count, S3Told& told) const {
  if (first + count <= ahead_.size()) return ahead_.substr(first, count);
  const ObjectInfo& info = head_.info;
  ObjectPart part = TRY(bucket_->range(info.key, info.version, first, count, info.etag, told));
  if (part.bytes.size() != count)
    return Error{Fault::corrupt,
                 "{}: \"{}\" gives {} bytes from byte {} on, not {}",
                 bucket_->name(),
                 info.key,
                 part.bytes.size(),
                 first,
                 count};
  return std::move(part.bytes);
}

Result<void> ObjectReader::read(std::uint64_t first, std::uint64_t count, std::string& out, S3Told& told) const {
  ENSURE(first <= bytes_ && count <= bytes_ - first);
  if (!age_) {
    if (count > 0) out += TRY(fetched(first, count, told));
    return {};
  }
  // An empty file too has a chunk, which proves that it is empty.
  const std::uint64_t chunk = first / kChunk;
  const std::uint64_t end = count == 0 ? chunk + 1 : (first + count - 1) / kChunk + 1;
  const std::uint64_t from = age_->offset_of(chunk);
  const std::string sealed = TRY(fetched(from, age_->offset_of(end) - from, told));
  const std::size_t begin = out.size();
  if (auto opened = age_->open(chunk, sealed, out); !opened)
    return std::move(opened).error().within(fmt::format("{}: \"{}\"", bucket_->name(), head_.info.key));
  out.erase(begin, static_cast<std::size_t>(first - chunk * kChunk));
  out.resize(begin + count);
  return {};
}

Result<std::string> ObjectReader::fetch_chunks(std::uint64_t first, std::uint64_t count, S3Told& told) const {
  ENSURE(first % kChunk == 0 && first <= bytes_ && count <= bytes_ - first);
  if (!age_) return count == 0 ? std::string() : fetched(first, count, told);
  const std::uint64_t chunk = first / kChunk;
  const std::uint64_t end = count == 0 ? chunk + 1 : (first + count - 1) / kChunk + 1;
  const std::uint64_t from = age_->offset_of(chunk);
  return fetched(from, age_->offset_of(end) - from, told);
}

Result<void> ObjectReader::open_chunks(std::uint64_t first, std::string_view stored,
                                       const std::function<Result<void>(std::string_view)>& take) const {
  // So many at once that what was opened is still in the processor's cache when it is taken.
  constexpr std::size_t kAtOnce = 4;
  std::string plain;
  plain.reserve(kAtOnce * kChunk);
  for (std::uint64_t chunk = first / kChunk; !stored.empty(); chunk += kAtOnce) {
    const std::string_view piece = stored.substr(0, kAtOnce * (age_ ? crypto::kAgeStreamSealedChunk : kChunk));
    stored.remove_prefix(piece.size());
    if (!age_) {
      TRY(take(piece));
      continue;
    }
    plain.clear();
    if (auto opened = age_->open(chunk, piece, plain); !opened)
      return std::move(opened).error().within(fmt::format("{}: \"{}\"", bucket_->name(), head_.info.key));
    TRY(take(plain));
  }
  return {};
}

namespace {

/// Fetches parts at once and gives them on in order, to be digested.
class Download {
 public:
  Download(const ObjectReader& reader, const TransferOptions& options, S3Told& told)
      : reader_(reader), options_(options), told_(told) {
    const std::uint64_t wanted = (options.part_bytes + kChunk - 1) / kChunk * kChunk;
    part_bytes_ = std::max(wanted, kChunk);
  }

  std::uint64_t parts() const { return std::max<std::uint64_t>((reader_.bytes() + part_bytes_ - 1) / part_bytes_, 1); }
  std::uint64_t part_bytes() const { return part_bytes_; }
  std::uint64_t bytes_of(std::uint64_t part) const {
    return std::min(part_bytes_, reader_.bytes() - part * part_bytes_);
  }

  struct Part {
    std::string bytes;
    bool plain = false;  ///< they were opened before, and need not be taken again
  };

  /// `get` brings a part, in any order; `take` gets the plain text in order and in small pieces, and `taken` is told
  /// when a part was taken. Only fetching is done by several threads at once: the rest is much faster than any network.
  Result<void> run(const std::function<Result<Part>(std::uint64_t part)>& get,
                   const std::function<Result<void>(std::uint64_t at, std::string_view)>& take,
                   const std::function<Result<void>(std::uint64_t part)>& taken, bool some_came_earlier) {
    crypto::Sha256 digest;
    // age has authenticated each chunk that it opened; of parts that came earlier only a CRC speaks.
    const bool digested = reader_.facts().sha256.has_value() && (!reader_.is_encrypted() || some_came_earlier);
    TRY(in_parallel(options_.parallel, parts(), [&](unsigned, std::uint64_t number) -> Result<void> {
      const auto step = [&]() -> Result<void> {
        if (options_.is_stopped()) return Error{Fault::busy, "interrupted"};
        const Part part = TRY(get(number));
        if (!turns_.wait(number)) return {};
        std::uint64_t at = number * part_bytes_;
        const auto piece = [&](std::string_view plain) -> Result<void> {
          if (digested) digest.update(plain);
          if (!part.plain) TRY(take(at, plain));
          at += plain.size();
          return {};
        };
        TRY(part.plain ? piece(part.bytes) : reader_.open_chunks(at, part.bytes, piece));
        if (!part.plain) TRY(taken(number));
        turns_.done();
        if (options_.progress) options_.progress(bytes_of(number));
        return {};
      };
      auto done = step();
      if (!done) turns_.fail();
      return done;
    }));
    if (digested && digest.finish() != *reader_.facts().sha256)
      return Error{Fault::corrupt, "{}: its content is not what was stored: the SHA-256 kept with it does not fit",
                   reader_.head().info.key};
    return {};
  }

  Result<Part> fetch(std::uint64_t part) {
    S3Told told;
    auto read = reader_.fetch_chunks(part * part_bytes_, bytes_of(part), told);
    const std::lock_guard lock(mutex_);
    if (!told.request_id.empty()) told_ = told;
    if (!read) return std::move(read).error();
    return Part{std::move(*read), false};
  }

 private:
  const ObjectReader& reader_;
  const TransferOptions& options_;
  S3Told& told_;
  std::uint64_t part_bytes_ = 0;
  Turns turns_;
  std::mutex mutex_;
};

/// Which parts lie in the temporary file, each with its CRC-32C. Beside the file, since it is worthless without it.
class PartsThere {
 public:
  PartsThere(Files& files, std::string path, std::string first_line)
      : files_(files), path_(std::move(path)), first_line_(std::move(first_line)) {}

  /// Whether there is one of the same object.
  bool load() {
    constexpr std::uint64_t kBytesMax = 16 << 20;
    auto text = read_file(files_, path_, kBytesMax);
    if (!text || !text->starts_with(first_line_)) return false;
    std::string_view rest = std::string_view(*text).substr(first_line_.size());
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      const auto space = std::min(line.find(' '), line.size());
      const auto part = parse_number(line.substr(0, space));
      const auto crc = parse_number(line.substr(std::min(space + 1, line.size())));
      if (part && crc) known_[*part] = static_cast<std::uint32_t>(*crc);
    }
    return true;
  }
  Result<void> begin() {
    file_ = TRY(files_.create(path_, Create::truncate));
    TRY(file_->write_at(0, first_line_));
    end_ = first_line_.size();
    for (const auto& [part, crc] : known_) TRY(write(part, crc));
    return {};
  }
  Result<void> add(std::uint64_t part, std::uint32_t crc) { return write(part, crc); }
  std::optional<std::uint32_t> find(std::uint64_t part) const {
    const auto found = known_.find(part);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }
  void remove() { (void)remove_if_there(files_, path_); }

 private:
  Result<void> write(std::uint64_t part, std::uint32_t crc) {
    const std::string line = fmt::format("{} {}\n", part, crc);
    TRY(file_->write_at(end_, line));
    end_ += line.size();
    return {};
  }
  Files& files_;
  std::string path_;
  std::string first_line_;
  std::map<std::uint64_t, std::uint32_t> known_;
  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;
};

std::string hidden(const std::string& path, std::string_view ending) {
  // The name may have as many bytes as a name can have.
  return fmt::format("{}/.{}.{}", parent_of(path), name_in(path).substr(0, 200), ending);
}

Result<void> read_again(File& file, std::uint64_t at, std::uint64_t count, std::string& into) {
  into.resize(count);
  for (std::size_t filled = 0; filled < count;) {
    const std::size_t got = TRY(file.read_at(at + filled, std::span(into).subspan(filled)));
    if (got == 0) return Error{Fault::corrupt, "too short"};
    filled += got;
  }
  return {};
}

class FileDownload {
 public:
  FileDownload(World world, const ObjectReader& reader, const DownloadTo& to, const TransferOptions& options,
               S3Told& told)
      : files_(world.files),
        reader_(reader),
        to_(to),
        download_(reader, options, told),
        temporary_(hidden(to.path, "enclave-part")),
        there_(files_, hidden(to.path, "enclave-have"), identity()) {}

  Result<Downloaded> run() {
    if (!to_.force && files_.info(to_.path, false))
      return Error{Fault::conflict, "{} is there already; --force replaces it", to_.path};
    const bool large = download_.parts() > 1;
    out_.resumed = large && there_.load() && files_.info(temporary_, false).has_value();
    // What somebody else put there under that name must not be written through.
    if (!out_.resumed) TRY(remove_if_there(files_, temporary_));
    file_ = TRY(files_.create(temporary_, out_.resumed ? Create::keep : Create::exclusive));
    if (large) TRY(there_.begin());
    const io::EarlyWriter early(large ? temporary_ : "");
    std::uint32_t crc = 0;
    auto got = download_.run(
        [&](std::uint64_t part) { return get(part); },
        [&](std::uint64_t at, std::string_view plain) {
          if (large) crc = crc32c(plain, crc);
          return file_->write_at(at, plain);
        },
        [&](std::uint64_t part) { return large ? there_.add(part, std::exchange(crc, 0)) : Result<void>(); },
        out_.resumed);
    if (!got) return give_up(std::move(got).error(), large);
    if (out_.resumed) TRY(file_->truncate(reader_.bytes()));
    out_.bytes = reader_.bytes();
    out_.encrypted = reader_.is_encrypted();
    out_.checked = reader_.is_encrypted() || reader_.facts().sha256.has_value();
    if (to_.keep_open && !large) {
      out_.temporary = temporary_;
      return out_;
    }
    TRY(file_->sync());
    file_.reset();
    TRY(finish_download(files_, to_, temporary_));
    there_.remove();
    return out_;
  }

 private:
  // One object in one version, cut into parts in one way.
  std::string identity() const {
    const ObjectInfo& info = reader_.head().info;
    return fmt::format("enclave-have 1 {} {} {} {} {}\n", to_hex(info.key), to_hex(info.version), to_hex(info.etag),
                       reader_.bytes(), download_.part_bytes());
  }

  Result<Download::Part> get(std::uint64_t part) {
    if (const auto crc = out_.resumed ? there_.find(part) : std::nullopt) {
      Download::Part again{{}, true};
      const std::uint64_t at = part * download_.part_bytes();
      if (read_again(*file_, at, download_.bytes_of(part), again.bytes) && crc32c(again.bytes) == *crc) return again;
    }
    return download_.fetch(part);
  }

  Error give_up(Error error, bool large) {
    file_.reset();
    if (error.fault() == Fault::busy && large) return error;
    (void)files_.remove(temporary_);
    there_.remove();
    return error;
  }

  Files& files_;
  const ObjectReader& reader_;
  const DownloadTo& to_;
  Download download_;
  const std::string temporary_;
  PartsThere there_;
  std::unique_ptr<File> file_;
  Downloaded out_;
};

}  // namespace

Result<Downloaded> download_file(World world, const ObjectReader& reader, const DownloadTo& to,
                                 const TransferOptions& options, S3Told& told) {
  return FileDownload(world, reader, to, options, told).run();
}

Result<void> finish_download(Files& files, const DownloadTo& to, const std::string& temporary) {
  auto placed = to.force ? files.rename(temporary, to.path) : files.link(temporary, to.path);
  if (!placed && placed.error().fault() == Fault::conflict) {
    (void)files.remove(temporary);
    return Error{Fault::conflict, "{} is there already; --force replaces it", to.path};
  }
  // A file system without links: what came there in the last moment would be replaced.
  if (!placed && !to.force) placed = files.rename(temporary, to.path);
  if (!placed) return placed;
  TRY(remove_if_there(files, temporary));
  return to.keep_open ? Result<void>() : files.sync_directory(parent_of(to.path));
}

Result<Downloaded> download_stream(const ObjectReader& reader,
                                   const std::function<Result<void>(std::string_view)>& take,
                                   const TransferOptions& options, S3Told& told) {
  Download download(reader, options, told);
  TRY(download.run([&](std::uint64_t part) { return download.fetch(part); },
                   [&](std::uint64_t, std::string_view plain) { return take(plain); },
                   [](std::uint64_t) -> Result<void> { return {}; }, false));
  return Downloaded{reader.bytes(), reader.is_encrypted(), reader.is_encrypted() || reader.facts().sha256.has_value(),
                    false, ""};
}

}  // namespace enclave::cloud
