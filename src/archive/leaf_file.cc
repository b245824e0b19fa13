#include "archive/leaf_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include "archive/leaf.h"
#include "base/crc.h"
#include "base/files.h"

namespace enclave::archive {
namespace {

constexpr std::string_view kHeader = "enclave-leaves/v1\n";
constexpr std::string_view kTextStart = "enclave-leaf/v1\n";
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kWindowBytes = 1U << 20;

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 255));
}

std::uint32_t get_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

/// The file through a window that moves forward.
class Window {
 public:
  explicit Window(File& file) : file_(file) {}
  /// At most `bytes` (up to the window's size) from `offset` on; fewer only at the end of the file.
  Result<std::string_view> at(std::uint64_t offset, std::size_t bytes) {
    if (offset < begin_ || offset + bytes > begin_ + bytes_.size()) TRY(fill(offset, bytes));
    return std::string_view(bytes_).substr(offset - begin_, bytes);
  }

 private:
  Result<void> fill(std::uint64_t offset, std::size_t bytes) {
    // Most files are small when they are read; a long one soon comes to the full window.
    step_ = std::min(step_ * 2, kWindowBytes);
    bytes_.resize(std::max(step_, bytes));
    begin_ = offset;
    std::size_t filled = 0;
    while (filled < bytes_.size()) {
      auto got = file_.read_at(offset + filled, std::span<char>(bytes_).subspan(filled));
      if (!got) {
        bytes_.clear();
        return std::move(got).error();
      }
      if (*got == 0) break;
      filled += *got;
    }
    bytes_.resize(filled);
    return {};
  }

  File& file_;
  std::uint64_t begin_ = 0;
  std::size_t step_ = 8192;
  std::string bytes_;
};

/// The text of a whole frame at `offset`, or nothing.
Result<std::optional<std::string_view>> frame_at(Window& window, std::uint64_t offset) {
  const std::string_view head = TRY(window.at(offset, kFrameHead));
  if (head.size() < kFrameHead) return std::nullopt;
  const std::uint32_t size = get_u32(head);
  const std::uint32_t crc = get_u32(head.substr(4));
  if (size == 0 || size > kLeafBytesMax) return std::nullopt;
  const std::string_view frame = TRY(window.at(offset, kFrameHead + size));
  if (frame.size() < kFrameHead + size) return std::nullopt;
  const std::string_view text = frame.substr(kFrameHead);
  if (crc32c(text) != crc) return std::nullopt;
  return text;
}

/// Where the next text of a leaf may begin, at or behind `offset`.
Result<std::optional<std::uint64_t>> find_text(Window& window, std::uint64_t offset) {
  for (;;) {
    const std::string_view bytes = TRY(window.at(offset, kWindowBytes));
    if (bytes.size() < kTextStart.size()) return std::nullopt;
    const auto found = bytes.find(kTextStart);
    if (found != std::string_view::npos) return offset + found;
    offset += bytes.size() - kTextStart.size() + 1;
  }
}

Result<bool> salvage_from(Window& window, std::uint64_t offset,
                          const std::function<void(std::uint64_t, std::string_view)>& salvage) {
  bool found = false;
  for (;;) {
    const auto text_at = TRY(find_text(window, offset));
    if (!text_at) return found;
    offset = *text_at + 1;
    if (*text_at < kFrameHead) continue;
    const auto text = TRY(frame_at(window, *text_at - kFrameHead));
    if (!text) continue;
    found = true;
    salvage(*text_at - kFrameHead, *text);
    offset = *text_at + text->size();
  }
}

}  // namespace

std::string_view leaves_header() { return kHeader; }

std::string leaf_frame(std::string_view text) {
  std::string frame;
  frame.reserve(kFrameHead + text.size());
  put_u32(frame, static_cast<std::uint32_t>(text.size()));
  put_u32(frame, crc32c(text));
  frame += text;
  return frame;
}

Result<LeafScan> scan_leaves(File& file, const std::function<bool(std::uint64_t, std::string_view)>& take,
                             const std::function<void(std::uint64_t, std::string_view)>& salvage) {
  Window window(file);
  if (TRY(window.at(0, kHeader.size())) != kHeader) {
    TRY(salvage_from(window, 0, salvage));
    return LeafScan{LeafScan::End::damaged, 0};
  }
  std::uint64_t offset = kHeader.size();
  for (;;) {
    const auto text = TRY(frame_at(window, offset));
    if (!text || !take(offset, *text)) break;
    offset += kFrameHead + text->size();
  }
  if (TRY(window.at(offset, 1)).empty()) return LeafScan{LeafScan::End::whole, offset};
  const bool more = TRY(salvage_from(window, offset, salvage));
  return LeafScan{more ? LeafScan::End::damaged : LeafScan::End::torn, offset};
}

Result<std::string> read_leaf_at(File& file, std::uint64_t offset) {
  std::array<char, kFrameHead> head{};
  const auto fill = [&](std::uint64_t at, std::span<char> into) -> Result<bool> {
    while (!into.empty()) {
      const std::size_t got = TRY(file.read_at(at, into));
      if (got == 0) return false;
      at += got;
      into = into.subspan(got);
    }
    return true;
  };
  const auto corrupt = [&] { return Error{Fault::corrupt, "the leaf at byte {} is not what was written", offset}; };
  if (!TRY(fill(offset, head))) return corrupt();
  const std::string_view view(head.data(), head.size());
  if (get_u32(view) > kLeafBytesMax) return corrupt();
  std::string text(get_u32(view), '\0');
  if (!TRY(fill(offset + kFrameHead, text)) || crc32c(text) != get_u32(view.substr(4))) return corrupt();
  return text;
}

Result<std::unique_ptr<LeafFile>> LeafFile::open(Files& files, std::string path, std::vector<std::uint64_t> offsets,
                                                 std::uint64_t end) {
  std::unique_ptr<LeafFile> leaves(new LeafFile(files, std::move(path), std::move(offsets), end));
  leaves->file_ = TRY(files.create(leaves->path_, Create::keep));
  // Also without a torn tail: the last leaf may have been read from the cache of a write that never reached the disk.
  TRY(leaves->cut());
  return leaves;
}

Result<void> LeafFile::append(std::string_view text) {
  if (dirty_) TRY(repair());
  const std::string frame = leaf_frame(text);
  auto written = file_->write_at(end_, frame);
  if (written) written = file_->sync();
  if (!written) {
    dirty_ = true;
    (void)repair();
    return written;
  }
  offsets_.push_back(end_);
  end_ += frame.size();
  return {};
}

Result<void> LeafFile::cut() {
  const std::uint64_t bytes = TRY(file_->info()).bytes;
  if (bytes < end_) return Error{Fault::corrupt, "{} became shorter than its {} bytes of leaves", path_, end_};
  if (bytes > end_) TRY(file_->truncate(end_));
  return file_->sync();
}

Result<void> LeafFile::repair() {
  if (file_ != nullptr && cut()) {
    dirty_ = false;
    return {};
  }
  // The handle may remember the error of an earlier write: a new one begins anew.
  if (auto reopened = files_.create(path_, Create::keep)) {
    file_ = std::move(*reopened);
    if (cut()) {
      dirty_ = false;
      return {};
    }
  }
  TRY(rewrite());
  dirty_ = false;
  return {};
}

Result<void> LeafFile::rewrite() {
  const std::string temporary = path_ + ".new";
  const auto copy = [&]() -> Result<void> {
    auto from = TRY(files_.open(path_));
    auto to = TRY(files_.create(temporary, Create::truncate));
    std::string buffer;
    for (std::uint64_t at = 0; at < end_;) {
      buffer.resize(std::min<std::uint64_t>(kWindowBytes, end_ - at));
      const std::size_t got = TRY(from->read_at(at, buffer));
      if (got == 0) return Error{Fault::corrupt, "{} became shorter than its {} bytes of leaves", path_, end_};
      TRY(to->write_at(at, std::string_view(buffer).substr(0, got)));
      at += got;
    }
    TRY(to->sync());
    TRY(files_.rename(temporary, path_));
    file_ = std::move(to);
    return files_.sync_directory(parent_of(path_));
  };
  auto copied = copy();
  if (!copied) (void)remove_if_there(files_, temporary);
  return copied;
}

Result<std::string> LeafFile::read(std::uint64_t index) {
  ENSURE(index < offsets_.size());
  auto text = read_leaf_at(*file_, offsets_[index]);
  if (!text) return std::move(text).error().within(path_);
  return text;
}

}  // namespace enclave::archive
