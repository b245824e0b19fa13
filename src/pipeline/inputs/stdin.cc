#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "pipeline/newlines.h"
#include "pipeline/stdin_input.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::int64_t kLookAgainNs = 1'000'000'000;
constexpr std::uint64_t kLineBytesMax = 16_MiB;

class StreamInput final : public Input {
 public:
  StreamInput(int descriptor, std::size_t line_bytes_max, World world, InputLog& log)
      : fd_(descriptor), line_bytes_max_(line_bytes_max), world_(world), log_(log) {
    std::array<std::uint8_t, 4> number;
    world_.random.fill(number);
    source_ = fmt::format("stdin@{:02x}{:02x}{:02x}{:02x}", number[0], number[1], number[2], number[3]);
    struct stat found {};
    regular_ = ::fstat(fd_, &found) == 0 && S_ISREG(found.st_mode);
  }

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    while (!ended_ && budget > 0) {
      if (!is_readable()) return Polled::idle;
      const std::size_t got = read_piece(batch, std::min(budget, kPiece));
      if (got == 0 && !ended_) return Polled::idle;
      budget -= std::min(budget, got);
    }
    return ended_ ? Polled::end : Polled::more;
  }

  Result<Polled> finish(event::Batch& batch, std::size_t /*budget*/) override {
    give_rest(batch);
    return Polled::end;
  }

  void committed(const event::Batch& /*batch*/) override {}

  std::vector<int> descriptors() const override {
    // epoll refuses regular files; these are always readable anyway.
    if (ended_ || regular_) return {};
    return {fd_};
  }
  std::int64_t next_poll_boot_ns() const override { return world_.clock.boot_ns() + kLookAgainNs; }

 private:
  bool is_readable() const {
    pollfd wanted{fd_, POLLIN, 0};
    return ::poll(&wanted, 1, 0) > 0;
  }

  std::size_t read_piece(event::Batch& batch, std::size_t want) {
    const auto piece = batch.allocate(want);
    ssize_t got = 0;
    do {
      got = ::read(fd_, piece.data(), want);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
      const int error = errno;
      batch.shrink_last(want);
      if (got < 0 && error == EAGAIN) return 0;
      if (got < 0) log_.trouble("stdin", fmt::format("cannot read standard input: {}", std::strerror(error)));
      ended_ = true;
      give_rest(batch);
      return 0;
    }
    batch.shrink_last(want - static_cast<std::size_t>(got));
    cut_lines(batch, {piece.data(), static_cast<std::size_t>(got)});
    return static_cast<std::size_t>(got);
  }

  void cut_lines(event::Batch& batch, std::string_view piece) {
    std::array<std::uint16_t, kNewlineBlock> newlines;
    std::size_t begin = 0;
    for (std::size_t block = 0; block < piece.size(); block += kNewlineBlock) {
      const std::size_t found = find_newlines(piece.substr(block, kNewlineBlock), newlines);
      for (std::size_t i = 0; i < found; ++i) {
        const std::size_t newline = block + newlines[i];
        end_line(batch, piece.substr(begin, newline - begin));
        begin = newline + 1;
      }
    }
    hold(piece.substr(begin));
  }

  // The beginning of a line whose end is yet to come. What is over the limit is counted, not kept.
  void hold(std::string_view part) {
    if (part.empty()) return;
    // One more for a CR that may turn out to be part of the line's end.
    held_.append(part.substr(0, line_bytes_max_ + 1 - held_.size()));
    held_bytes_ += part.size();
    held_last_ = part.back();
  }

  void end_line(event::Batch& batch, std::string_view last_part) {
    if (held_bytes_ == 0) {
      const bool cr = !last_part.empty() && last_part.back() == '\r';
      return add(batch, last_part, last_part.size() - (cr ? 1 : 0), cr ? event::Eol::crlf : event::Eol::lf);
    }
    hold(last_part);
    const bool cr = held_last_ == '\r';
    add(batch, batch.store(held_), held_bytes_ - (cr ? 1 : 0), cr ? event::Eol::crlf : event::Eol::lf);
    forget_held();
  }

  void give_rest(event::Batch& batch) {
    if (held_bytes_ == 0) return;
    add(batch, batch.store(held_), held_bytes_, event::Eol::none);
    forget_held();
  }

  void forget_held() {
    held_.clear();
    held_.shrink_to_fit();
    held_bytes_ = 0;
  }

  // `text`: at least the part of the line that is kept. `line_bytes`: all of it, without its end.
  void add(event::Batch& batch, std::string_view text, std::uint64_t line_bytes, event::Eol eol) {
    const std::uint32_t source = batch.source(source_, std::to_string(offset_));
    event::Event& event = batch.events.emplace_back();
    event.raw = text.substr(0, std::min<std::uint64_t>(line_bytes, line_bytes_max_));
    event.cut_bytes = line_bytes - event.raw.size();
    event.offset = offset_;
    event.source = source;
    event.eol = eol;
    if (event.cut_bytes > 0) log_.count("lines_cut", 1);
    offset_ += line_bytes + (eol == event::Eol::lf ? 1 : eol == event::Eol::crlf ? 2 : 0);
    ++batch.sources[source].count;
    batch.sources[source].to = std::to_string(offset_);
  }

  const int fd_;
  const std::size_t line_bytes_max_;
  World world_;
  InputLog& log_;
  std::string source_;
  std::string held_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t offset_ = 0;
  char held_last_ = 0;
  bool regular_ = false;
  bool ended_ = false;
};

struct StdinOptions {
  ByteCount max_bytes = 10_MiB;
};

constexpr Option<StdinOptions> kStdinOptions[] = {
    {"max_bytes", &StdinOptions::max_bytes, "Longer lines are cut, marked and counted. At most 16 MiB."},
};

StdinOptions read_options(const Node& config, Diagnostics& diagnostics) {
  StdinOptions options;
  parse_options<StdinOptions>(config, kStdinOptions, options, "a stdin input", diagnostics, kCommonInputKeys);
  if (options.max_bytes == 0 || options.max_bytes > kLineBytesMax) {
    const Node* node = config.find("max_bytes");
    diagnostics.error(node != nullptr ? node->place : config.place,
                      fmt::format("max_bytes: {} is not between 1 B and 16 MiB", format_bytes(options.max_bytes)));
  }
  return options;
}

void check_stdin(const Node& config, Diagnostics& diagnostics) { (void)read_options(config, diagnostics); }

Result<std::unique_ptr<Input>> open_stdin(const InputSetup& setup) {
  Diagnostics diagnostics;
  const auto options = read_options(setup.config, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  return make_stream_input(STDIN_FILENO, options.max_bytes, setup.world, setup.log);
}

void check_stdins(std::span<const Node* const> configs, Diagnostics& diagnostics) {
  for (const Node* config : configs.subspan(1))
    diagnostics.error(config->place, fmt::format("the input on line {} reads standard input already; only one can",
                                                 configs[0]->place.line));
}

std::vector<OptionCard> stdin_options() { return cards_of<StdinOptions>(kStdinOptions); }

}  // namespace

std::unique_ptr<Input> make_stream_input(int descriptor, std::size_t line_bytes_max, World world, InputLog& log) {
  return std::make_unique<StreamInput>(descriptor, line_bytes_max, world, log);
}

extern const InputPlugin plugin_stdin;
const InputPlugin plugin_stdin{
    .name = "stdin",
    .help = "Reads lines from standard input until it ends.",
    .options = stdin_options,
    .check = check_stdin,
    .open = open_stdin,
    .check_together = check_stdins,
};

}  // namespace enclave::pipeline
