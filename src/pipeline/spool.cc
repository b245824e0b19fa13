#include "pipeline/spool.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kMagic = "enclave-spool/1\n";
constexpr std::size_t kSaltBytes = 32, kCheckBytes = 16, kAuthenticatedBytes = 64, kHeaderBytes = 80;
constexpr std::string_view kSuffix = ".spool";

std::string little_endian(std::uint64_t value) {
  std::string out;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 255));
  return out;
}

std::uint64_t from_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

// The offset never repeats under one segment key: a segment that failed or was recovered is not appended to again.
crypto::Aead::Nonce nonce_at(std::uint64_t offset) {
  crypto::Aead::Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(offset >> (8 * i) & 255);
  return nonce;
}

std::string check_of(const crypto::Secret& key, std::string_view authenticated) {
  return std::string(crypto::hkdf_sha256(key, authenticated, "enclave spool check", kCheckBytes).reveal());
}

crypto::Aead cipher_of(const crypto::Secret& key, std::string_view authenticated) {
  return {crypto::Cipher::aes_256_gcm, crypto::hkdf_sha256(key, authenticated, "enclave spool segment", 32)};
}

}  // namespace

Spool::Spool(World world, Options options, crypto::Secret key)
    : world_(world), options_(std::move(options)), key_(std::move(key)) {}

std::string Spool::path_of(std::uint64_t number) const {
  return join_path(options_.directory, fmt::format("{:020}{}", number, kSuffix));
}

Result<std::unique_ptr<Spool>> Spool::open(World world, Options options, const crypto::Secret& key,
                                           const std::function<void(Frame&&)>& take,
                                           std::vector<std::string>& notices) {
  TRY(make_directories(world.files, options.directory));
  std::unique_ptr<Spool> spool(new Spool(world, std::move(options), key.clone()));
  TRY(spool->recover(take, notices));
  return spool;
}

Result<void> Spool::recover(const std::function<void(Frame&&)>& take, std::vector<std::string>& notices) {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : TRY(world_.files.list(options_.directory))) {
    std::string_view name = entry.name;
    if (name.starts_with('.')) (void)world_.files.remove(join_path(options_.directory, name));  // of a copy cut short
    // Names of 20 digits; what was set aside is numbered too, so that its number is not given again.
    const auto number = name.size() < 20
                            ? Result<std::uint64_t>(Error{Fault::invalid, "no segment"})
                            : parse_number(name.substr(std::min(name.find_first_not_of('0'), std::size_t{19}),
                                                       20 - std::min(name.find_first_not_of('0'), std::size_t{19})));
    if (!number) continue;
    next_number_ = std::max(next_number_, *number + 1);
    if (name.substr(20) == kSuffix) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  // A segment's header says how much of the one before it counts.
  std::vector<std::uint64_t> limits(numbers.size(), ~std::uint64_t{0});
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    auto file = world_.files.open(path_of(numbers[i]));
    std::string header(kHeaderBytes, '\0');
    if (!file || (*file)->read_at(0, header).value_or(0) != kHeaderBytes) continue;
    if (header.substr(kAuthenticatedBytes) != check_of(key_, header.substr(0, kAuthenticatedBytes))) continue;
    if (from_little_endian(header.substr(48, 8)) == numbers[i - 1])
      limits[i - 1] = from_little_endian(header.substr(56, 8));
  }
  // A segment that was begun and never used says nothing about those before it.
  std::size_t used = numbers.size();
  while (used > 0 && TRY(world_.files.info(path_of(numbers[used - 1]), true)).bytes <= kHeaderBytes) --used;
  bool unused = false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Segment segment{.number = numbers[i]};
    if (auto taken = take_segment(segment, i + 1 >= used, limits[i], take, notices); !taken) {
      if (taken.error().fault() != Fault::corrupt) return taken;
      notices.push_back(fmt::format("spool segment {}: {}; set aside, its records are lost", path_of(segment.number),
                                    taken.error().text()));
      segment.damaged = true;
    }
    // A file that holds nothing now may hold more after the next power cut: frames that were never acknowledged.
    if (segment.bytes == 0 && !segment.damaged) {
      TRY(remove_if_there(world_.files, path_of(segment.number)));
      unused = true;
      continue;
    }
    segment.last_ordinal = next_ordinal_ - 1;
    closed_.push_back(segment);
  }
  if (unused) TRY(world_.files.sync_directory(options_.directory));
  return {};
}

Result<std::string> Spool::read_segment(Segment& segment, std::uint64_t bytes_max) const {
  constexpr std::uint64_t kSegmentBytesMax = 4ULL << 30;
  std::string bytes = TRY(read_file(world_.files, path_of(segment.number), kSegmentBytesMax));
  segment.bytes = bytes.size();
  if (bytes.size() > bytes_max) bytes.resize(bytes_max);
  return bytes;
}

/// A frame that opens, and where.
struct Spool::Found {
  std::size_t begin = 0, end = 0, write_begin = 0;
  Frame frame;
};

std::vector<Spool::Found> Spool::find_frames(std::string_view bytes, crypto::Aead& cipher) {
  std::vector<Found> all;
  for (std::size_t at = kHeaderBytes; at < bytes.size();) {
    const auto header = FrameHeader::decode(bytes.substr(at));
    const std::size_t body = at + FrameHeader::kBytes;
    std::string plain;
    if (header && bytes.size() - body >= header->cipher_bytes && header->behind <= at &&
        cipher.open(nonce_at(at), bytes.substr(at, FrameHeader::kBytes), bytes.substr(body, header->cipher_bytes),
                    plain)) {
      if (auto frame = decode_frame(plain)) {
        frame->first_seq = header->first_seq;
        frame->count = header->count;
        const std::size_t end = body + header->cipher_bytes;
        all.push_back({at, end, at - header->behind, std::move(*frame)});
        at = end;
        continue;
      }
    }
    at = bytes.find("frm1", at + 1);  // damage ends at the next frame that opens
    if (at == std::string_view::npos) break;
  }
  return all;
}

// A disk may write the end of a write before its middle. Frames behind a hole in the last write were never
// acknowledged; to take them would skip what stood in the hole for good.
void Spool::leave_out_torn(std::vector<Found>& found) {
  if (found.empty()) return;
  const std::size_t write_begin = found.back().write_begin;
  std::size_t whole = kHeaderBytes;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].begin != whole && found[i].write_begin == write_begin && whole >= write_begin) {
      found.erase(found.begin() + static_cast<std::ptrdiff_t>(i), found.end());
      return;
    }
    whole = found[i].end;
  }
}

// What a killed process wrote may stand in memory only, and the system may have given up to write it, so a sync of the
// same file would prove nothing.
Result<void> Spool::make_durable(const std::string& path, std::string_view bytes) {
  if (replace_file(world_.files, path, bytes)) return {};
  auto file = TRY(world_.files.create(path, Create::keep));  // no space for a copy
  TRY(file->sync());
  return world_.files.sync_directory(options_.directory);
}

Result<void> Spool::take_segment(Segment& segment, bool last, std::uint64_t bytes_max,
                                 const std::function<void(Frame&&)>& take, std::vector<std::string>& notices) {
  const std::string path = path_of(segment.number);
  const std::string bytes = TRY(read_segment(segment, bytes_max));
  if (bytes.size() <= kHeaderBytes) {  // begun, and never used
    segment.bytes = 0;
    return {};
  }
  const std::string authenticated = bytes.substr(0, kAuthenticatedBytes);
  if (bytes.substr(0, kMagic.size()) != kMagic) return Error{Fault::corrupt, "not a spool segment"};
  if (bytes.substr(kAuthenticatedBytes, kCheckBytes) != check_of(key_, authenticated))
    return Error{Fault::corrupt, "written under another spool key, or its header is damaged"};

  crypto::Aead cipher = cipher_of(key_, authenticated);
  auto found = find_frames(bytes, cipher);
  if (last) leave_out_torn(found);
  const std::size_t end = found.empty() ? kHeaderBytes : found.back().end;
  if (last) {
    // Nothing whole follows: a write that a crash cut short, and nobody was told that it was kept.
    TRY(make_durable(path, std::string_view(bytes).substr(0, end)));
    segment.bytes = end;
  }
  std::size_t at = kHeaderBytes;
  for (Found& one : found) {
    if (one.begin != at) {
      segment.damaged = true;
      notices.push_back(
          fmt::format("spool segment {}: {} damaged bytes at offset {} passed over", path, one.begin - at, at));
    }
    at = one.end;
    one.frame.ordinal = next_ordinal_++;
    take(std::move(one.frame));
  }
  if (!last && at < bytes.size()) {
    segment.damaged = true;
    notices.push_back(fmt::format("spool segment {}: damaged from offset {} to its end", path, at));
  }
  return {};
}

std::uint64_t Spool::stage(Frame frame) {
  frame.ordinal = next_ordinal_++;
  staged_bytes_ += frame.records.size();
  staged_.push_back(std::move(frame));
  return staged_.back().ordinal;
}

Result<void> Spool::begin_segment() {
  std::string header(kMagic);
  std::array<std::uint8_t, kSaltBytes> salt;
  world_.random.fill(salt);
  header += bytes_of(salt);
  header += little_endian(closed_.empty() ? 0 : closed_.back().number);
  header += little_endian(closed_.empty() ? 0 : closed_.back().bytes);
  cipher_ = std::make_unique<crypto::Aead>(cipher_of(key_, header));
  header += check_of(key_, header);
  const std::uint64_t number = next_number_;
  auto file = TRY(world_.files.create(path_of(number), Create::truncate));
  TRY(file->write_at(0, header));
  TRY(file->sync());  // before the first frame: a bad header above frames is damage, never a crash
  TRY(world_.files.sync_directory(options_.directory));
  ++next_number_;
  file_ = std::move(file);
  current_ = {.number = number, .bytes = header.size()};
  return {};
}

Result<void> Spool::write_staged() {
  std::string bytes, plain;
  for (const Frame& frame : staged_) {
    plain.clear();
    encode_frame(frame, plain);
    const FrameHeader header{static_cast<std::uint32_t>(plain.size() + crypto::Aead::kTagBytes), frame.first_seq,
                             frame.count, static_cast<std::uint32_t>(bytes.size())};
    ENSURE(plain.size() + crypto::Aead::kTagBytes <= kCipherBytesMax);
    const std::string clear = header.encode();
    const std::uint64_t at = current_.bytes + bytes.size();
    bytes += clear;
    cipher_->seal(nonce_at(at), clear, plain, bytes);
  }
  TRY(file_->write_at(current_.bytes, bytes));
  TRY(file_->sync());
  current_.bytes += bytes.size();
  current_.last_ordinal = staged_.back().ordinal;
  return {};
}

// Only the synced part of a segment that failed counts; the next segment's header says how long that is.
void Spool::abandon_segment() {
  if (file_ != nullptr) {
    (void)file_->truncate(current_.bytes);
    file_.reset();
    closed_.push_back(current_);
  } else {
    (void)world_.files.remove(path_of(next_number_));
  }
}

Result<std::vector<Frame>> Spool::commit() {
  if (staged_.empty()) return std::vector<Frame>{};
  if (file_ != nullptr && current_.bytes >= options_.segment_bytes) {
    file_.reset();
    closed_.push_back(current_);
  }
  auto written = file_ != nullptr ? Result<void>{} : begin_segment();
  if (written) written = write_staged();
  if (!written) {
    abandon_segment();
    return std::move(written).error().within("writing the spool");
  }
  staged_bytes_ = 0;
  return std::exchange(staged_, {});
}

Result<void> Spool::free_through(std::uint64_t ordinal) {
  // Everything is sealed: the current segment goes as well.
  if (file_ != nullptr && current_.last_ordinal <= ordinal) {
    file_.reset();
    closed_.push_back(current_);
  }
  while (!closed_.empty() && closed_.front().last_ordinal <= ordinal) {
    const std::string path = path_of(closed_.front().number);
    if (closed_.front().damaged) {
      auto renamed = world_.files.rename(path, path + ".bad");
      if (!renamed && renamed.error().fault() != Fault::absent) return renamed;
    } else {
      TRY(remove_if_there(world_.files, path));
    }
    closed_.erase(closed_.begin());
  }
  return {};
}

std::uint64_t Spool::bytes() const {
  std::uint64_t sum = file_ != nullptr ? current_.bytes : 0;
  for (const auto& segment : closed_) sum += segment.bytes;
  return sum;
}

}  // namespace enclave::pipeline
