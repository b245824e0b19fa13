#include "event/compress.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace enclave::event {
namespace {

constexpr int kWindowLog = 23;  // 8 MiB
constexpr std::size_t kScratchBytesKept = 8 << 20;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

// The bound of a frame is more than its plain text, the frame itself a tenth of it: compressed beside `out`, so that
// neither clearing nor keeping the difference costs anything.
struct Compressor::State {
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::unique_ptr<char[]> scratch;
  std::size_t scratch_bytes = 0;
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  ZSTD_CCtx* context = state_->context.get();
  ENSURE(context != nullptr);
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    ENSURE(ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) == 0);
  };
  set(ZSTD_c_compressionLevel, level);
  set(ZSTD_c_contentSizeFlag, 1);
  set(ZSTD_c_checksumFlag, 1);
  // From level 20 on zstd would take a larger window than our decoder grants.
  if (level > 19) set(ZSTD_c_windowLog, kWindowLog);
}
Compressor::~Compressor() = default;

void Compressor::frame(std::string_view plain, std::string& out) {
  State& state = *state_;
  const std::size_t bound = ZSTD_compressBound(plain.size());
  if (state.scratch_bytes < bound) {
    state.scratch = std::make_unique_for_overwrite<char[]>(bound);
    state.scratch_bytes = bound;
  }
  const std::size_t size =
      ZSTD_compress2(state.context.get(), state.scratch.get(), state.scratch_bytes, plain.data(), plain.size());
  // Into a buffer of compressBound bytes it can fail only for want of memory.
  ENSURE(ZSTD_isError(size) == 0);
  out.append(state.scratch.get(), size);
  if (state.scratch_bytes <= kScratchBytesKept) return;
  state.scratch.reset();
  state.scratch_bytes = 0;
}

struct Decompressor::State {
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  std::vector<char> piece = std::vector<char>(ZSTD_DStreamOutSize());
  std::uint64_t plain_bytes = 0;
  bool whole = true;    // no frame is half read
  bool failed = false;  // nothing more can be read until finish()
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {
  ENSURE(state_->context != nullptr);
  ENSURE(ZSTD_isError(ZSTD_DCtx_setParameter(state_->context.get(), ZSTD_d_windowLogMax, kWindowLog)) == 0);
}
Decompressor::~Decompressor() = default;

Result<void> Decompressor::feed(std::string_view bytes, std::uint64_t plain_bytes_max,
                                const std::function<Result<void>(std::string_view)>& take) {
  State& state = *state_;
  if (state.failed) return Error{Fault::corrupt, "compressed bytes follow ones that could not be read"};
  state.failed = true;  // until it went well
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  // A full piece may mean that more waits inside although all input is eaten.
  bool more = false;
  while (in.pos < in.size || more) {
    ZSTD_outBuffer piece{state.piece.data(), state.piece.size(), 0};
    const std::size_t left = ZSTD_decompressStream(state.context.get(), &piece, &in);
    if (ZSTD_isError(left) != 0) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return Error{Fault::limit, "a compressed frame wants a window of more than 8 MiB"};
      return Error{Fault::corrupt, "not whole Zstandard frames: {} after {} plain bytes", ZSTD_getErrorName(left),
                   state.plain_bytes};
    }
    state.whole = left == 0;
    more = !state.whole && piece.pos == piece.size;
    if (piece.pos > plain_bytes_max - std::min(plain_bytes_max, state.plain_bytes))
      return Error{Fault::limit, "the compressed bytes unfold to more than the {} that are allowed", plain_bytes_max};
    state.plain_bytes += piece.pos;
    if (piece.pos > 0) TRY(take({state.piece.data(), piece.pos}));
  }
  state.failed = false;
  return {};
}

Result<void> Decompressor::finish() {
  State& state = *state_;
  const bool good = state.whole && !state.failed;
  const std::uint64_t plain_bytes = std::exchange(state.plain_bytes, 0);
  state.whole = true;
  state.failed = false;
  ENSURE(ZSTD_isError(ZSTD_DCtx_reset(state.context.get(), ZSTD_reset_session_only)) == 0);
  if (good) return {};
  return Error{Fault::corrupt, "the compressed bytes end within a frame, after {} plain bytes", plain_bytes};
}

Result<std::string> decompress(std::string_view frames, std::uint64_t plain_bytes_max) {
  std::string plain;
  // What the first frame says of itself may be a lie: believed as far as an honest log could be compressed.
  const unsigned long long said = ZSTD_getFrameContentSize(frames.data(), frames.size());
  if (said != ZSTD_CONTENTSIZE_UNKNOWN && said != ZSTD_CONTENTSIZE_ERROR)
    plain.reserve(std::min<std::uint64_t>({said, plain_bytes_max, frames.size() * 64}));
  Decompressor decompressor;
  TRY(decompressor.feed(frames, plain_bytes_max, [&](std::string_view piece) -> Result<void> {
    plain.append(piece);
    return {};
  }));
  TRY(decompressor.finish());
  return plain;
}

}  // namespace enclave::event
