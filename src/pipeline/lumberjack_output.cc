#include "pipeline/lumberjack_output.h"

#include <algorithm>
#include <array>

#include "event/lumberjack.h"
#include "pipeline/deflater.h"
#include "pipeline/lumberjack_link.h"
#include "pipeline/lumberjack_windows.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using std::chrono_literals::operator""ms;

constexpr std::size_t kFrameHeader = 10, kLengthAt = 6;
constexpr std::size_t kWindowHeader = 6;
/// Receivers bound what one compressed frame may hold, and how many times its own size that is.
constexpr std::size_t kPlainOfFrame = 1 << 20;
/// Up to kPlainOfFrame how well it packs does not matter; beyond it a frame is sent plain that packs better than this.
constexpr std::size_t kTimesMost = 250;
constexpr std::size_t kWindowBytes = 8 << 20;
constexpr std::size_t kLinksMax = 256;

void put_number(char* at, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) *at++ = static_cast<char>(number >> shift & 0xff);
}

/// Appends `frames` as one C frame.
void append_packed(Deflater& deflater, std::string_view frames, std::string& out) {
  const std::size_t begin = out.size();
  out.append(kWindowHeader, '\0');
  deflater.append(frames, out);
  out[begin] = '2';
  out[begin + 1] = 'C';
  put_number(out.data() + begin + 2, static_cast<std::uint32_t>(out.size() - begin - kWindowHeader));
}

/// Each piece of the parcel is a window.
class LumberjackPacker final : public Packer {
 public:
  explicit LumberjackPacker(const LumberjackOptions& options) : options_(options) {
    if (options.compression_level > 0)
      deflater_ = std::make_unique<Deflater>(Deflater::Form::zlib, options.compression_level);
    if (options.codec != nullptr && *options.codec) codec_ = options.codec->make();
  }

  void pack(const event::Batch& /*batch*/, std::span<const Document> events, FilterRun& run, Parcel& into) override {
    for (const Document& event : events) add_frame(into, [&](std::string& out) { add_event(event, run, out); });
  }

  bool pack_alike(const AlikeEvents& alike, FilterRun& /*run*/, Parcel& into) override {
    if (codec_ != nullptr) return false;
    payload_.clear();
    append_event(alike.like, payload_);
    const auto form = LineForm::cut(payload_, alike.marks);
    if (!form) return false;
    for (const event::Event& event : alike.events)
      add_frame(into, [&](std::string& out) { form->append({&event, 1}, out); });
    return true;
  }
  void end(Parcel& into) override {
    if (count_ > 0) end_window(into);
  }

 private:
  void begin(Parcel& into) {
    begin_ = into.bytes.size();
    event::append_lumberjack_window(into.bytes, 0);
  }

  template <class Append>
  void add_frame(Parcel& into, Append append) {
    if (count_ == 0) begin(into);
    std::string& out = deflater_ != nullptr ? plain_ : into.bytes;
    const std::size_t frame = out.size();
    out.append(kFrameHeader, '\0');
    out[frame] = '2';
    out[frame + 1] = 'J';
    put_number(out.data() + frame + 2, static_cast<std::uint32_t>(count_ + 1));
    append(out);
    put_number(out.data() + frame + kLengthAt, static_cast<std::uint32_t>(out.size() - frame - kFrameHeader));
    ++count_;
    if (deflater_ != nullptr && plain_.size() >= kPlainOfFrame) compress(frame, into.bytes);
    if (count_ == options_.window_events || into.bytes.size() - begin_ + plain_.size() >= kWindowBytes)
      end_window(into);
  }

  void add_event(const Document& event, FilterRun& run, std::string& out) {
    if (codec_ == nullptr) return append_event(event, out);
    payload_.clear();
    codec_->encode(event, run, payload_);
    out += '{';
    append_json(event::Value::of(options_.payload_field), out);
    out += ':';
    append_json(event::Value::of(std::string_view(payload_)), out);
    out += '}';
  }

  void append_event(const Document& event, std::string& out) const {
    if (options_.with_metadata) {
      append_json(event.root(), out);
    } else {
      append_json(event, out);
    }
  }

  /// An event that fills a frame alone is not compressed: a text that repeats itself could look like an attack.
  void compress(std::size_t last, std::string& out) {
    const bool large = plain_.size() - last >= kPlainOfFrame / 2;
    const std::size_t packed = large ? last : plain_.size();
    const std::size_t begin = out.size();
    if (packed > 0) append_packed(*deflater_, std::string_view(plain_).substr(0, packed), out);
    if (packed > kPlainOfFrame && (out.size() - begin) * kTimesMost < packed)
      out.replace(begin, out.size() - begin, plain_, 0, packed);
    out.append(plain_, packed);
    plain_.clear();
  }

  void end_window(Parcel& into) {
    if (!plain_.empty()) compress(plain_.size(), into.bytes);
    put_number(into.bytes.data() + begin_ + 2, static_cast<std::uint32_t>(count_));
    into.pieces.push_back({begin_, into.bytes.size(), 0, static_cast<std::uint32_t>(count_)});
    into.events += count_;
    count_ = 0;
  }

  const LumberjackOptions& options_;
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<Codec> codec_;
  std::string plain_, payload_;
  std::size_t begin_ = 0;    ///< of the window
  std::uint64_t count_ = 0;  ///< its events so far
};

class LumberjackOutput final : public Output {
 public:
  explicit LumberjackOutput(LumberjackOptions options) : options_(std::move(options)) {}

  Result<void> open(const OutputSetup& setup) override {
    stopping_ = &setup.stopping;
    if (options_.tls) tls_ = TRY(io::TlsClient::make(*options_.tls));
    const auto add = [&](std::string subject, std::vector<io::Endpoint> hosts) -> Result<void> {
      auto waiter = TRY(io::SocketWaiter::make());
      LumberjackLink::Setup made{std::move(subject), std::move(hosts), options_, tls_.get(),
                                 windows_,           setup.world,      setup.log};
      links_.push_back(std::make_unique<LumberjackLink>(std::move(made), std::move(waiter)));
      return {};
    };
    if (!options_.load_balance) {
      // Many shippers with one file shall not all choose the same host.
      std::array<std::uint8_t, 1> chosen{};
      setup.world.random.fill(chosen);
      auto hosts = options_.hosts;
      std::ranges::rotate(hosts, hosts.begin() + static_cast<std::ptrdiff_t>(chosen[0] % hosts.size()));
      return add(setup.id, std::move(hosts));
    }
    if (options_.hosts.size() * options_.workers > kLinksMax)
      return Error{Fault::limit, "{} hosts with {} connections each: at most {} connections", options_.hosts.size(),
                   options_.workers, kLinksMax};
    for (std::uint64_t worker = 0; worker < options_.workers; ++worker)
      for (const auto& host : options_.hosts)
        TRY(add(fmt::format("{} to {}{}", setup.id, host.text(), worker == 0 ? "" : fmt::format(" ({})", worker + 1)),
                {host}));
    return {};
  }

  std::unique_ptr<Packer> packer() const override { return std::make_unique<LumberjackPacker>(options_); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    while (!windows_.wait_for_room(200ms))
      if (stopping_->load()) return Error{Fault::busy, "it is to stop, and the other side takes nothing"};
    const auto memory = std::make_shared<const std::string>(std::move(parcel.bytes));
    std::vector<LumberjackWindow> windows;
    windows.reserve(parcel.pieces.size());
    for (const auto& piece : parcel.pieces)
      windows.push_back(
          {memory, std::string_view(*memory).substr(piece.begin, piece.end - piece.begin), piece.events, ticket});
    parcel.bytes = {};
    windows_.add(ticket, std::move(windows));
    for (const auto& link : links_) link->wake();
    return {};
  }

  Result<std::uint64_t> settle(bool wait) override {
    while (wait && !windows_.all_settled()) {
      const bool away = std::ranges::none_of(links_, [](const auto& link) { return link->is_connected(); });
      if (away && stopping_->load()) break;
      windows_.wait_settled(200ms);
    }
    return windows_.settled();
  }

 private:
  const LumberjackOptions options_;
  const std::atomic<bool>* stopping_ = nullptr;
  std::unique_ptr<io::TlsClient> tls_;
  LumberjackWindows windows_;
  std::vector<std::unique_ptr<LumberjackLink>> links_;  ///< threads that use all of the above: gone first
};

}  // namespace

std::unique_ptr<Output> make_lumberjack_output(LumberjackOptions options) {
  return std::make_unique<LumberjackOutput>(std::move(options));
}

}  // namespace enclave::pipeline
