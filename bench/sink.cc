// bench_sink lines|lumberjack EVERY SAMPLES: a receiver that costs next to nothing, for measuring senders.
// Prints the port of 127.0.0.1 on which it listens, counts lines or events, writes each EVERY-th of them, with its
// number and a tab before it, to SAMPLES, acknowledges Lumberjack windows, and when its standard input ends prints what
// it counted.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kFrameMax = 256 << 20;

struct Counts {
  std::uint64_t events = 0, bytes = 0, windows = 0;
};

class Samples {
 public:
  Samples(std::FILE* file, std::uint64_t every) : file_(file), every_(every) {}
  // `number` counts from 0.
  void take(std::uint64_t number, std::string_view text) {
    if (number % every_ == 0) fmt::print(file_, "{}\t{}\n", number, text);
  }

 private:
  std::FILE* file_;
  std::uint64_t every_;
};

class Lines {
 public:
  Lines(Counts& counts, Samples& samples) : counts_(counts), samples_(samples) {}
  // How many of these bytes are used up; nothing when they are no such thing.
  std::optional<std::size_t> eat(std::string_view bytes, int /*socket*/) {
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = bytes.find('\n', begin)) != bytes.npos; begin = end + 1)
      samples_.take(counts_.events++, bytes.substr(begin, end - begin));
    return begin;
  }

 private:
  Counts& counts_;
  Samples& samples_;
};

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return ntohl(value);
}

class Lumberjack {
 public:
  Lumberjack(Counts& counts, Samples& samples) : counts_(counts), samples_(samples) {
    good_ = inflateInit(&inflater_) == Z_OK;
  }
  ~Lumberjack() { inflateEnd(&inflater_); }
  Lumberjack(const Lumberjack&) = delete;
  Lumberjack& operator=(const Lumberjack&) = delete;

  std::optional<std::size_t> eat(std::string_view bytes, int socket) {
    std::size_t at = 0;
    while (bytes.size() - at >= 6) {
      if (bytes[at] != '2') return std::nullopt;
      const std::size_t length = number_at(bytes, at + 2);
      std::size_t whole = 6;
      if (bytes[at + 1] == 'W') {
        window_ = length;
      } else if (bytes[at + 1] == 'C') {
        whole += length;
        if (whole > kFrameMax) return std::nullopt;
        if (bytes.size() - at < whole) break;
        if (!unpack(bytes.substr(at + 6, length), socket)) return std::nullopt;
      } else if (bytes[at + 1] == 'J') {
        if (bytes.size() - at < 10) break;
        const std::size_t payload = number_at(bytes, at + 6);
        whole = 10 + payload;
        if (whole > kFrameMax) return std::nullopt;
        if (bytes.size() - at < whole) break;
        samples_.take(counts_.events++, bytes.substr(at + 10, payload));
        if (length == window_ && !acknowledge(socket, number_at(bytes, at + 2))) return std::nullopt;
      } else {
        return std::nullopt;
      }
      at += whole;
    }
    return at;
  }

 private:
  bool unpack(std::string_view packed, int socket) {
    if (!good_ || inflateReset(&inflater_) != Z_OK) return false;
    inflater_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    inflater_.avail_in = static_cast<uInt>(packed.size());
    std::size_t had = 0;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      if (had == plain_.size()) plain_.resize(plain_.size() * 2);
      if (plain_.size() > kFrameMax) return false;
      inflater_.next_out = reinterpret_cast<Bytef*>(plain_.data() + had);
      inflater_.avail_out = static_cast<uInt>(plain_.size() - had);
      status = inflate(&inflater_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END) return false;
      had = plain_.size() - inflater_.avail_out;
    }
    // A compressed frame holds whole frames, and no compressed one.
    const auto used = eat(std::string_view(plain_.data(), had), socket);
    return used && *used == had;
  }

  bool acknowledge(int socket, std::uint32_t sequence) {
    std::array<char, 6> frame = {'2', 'A'};
    const std::uint32_t wire = htonl(sequence);
    std::memcpy(frame.data() + 2, &wire, sizeof wire);
    ++counts_.windows;
    return ::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size());
  }

  Counts& counts_;
  Samples& samples_;
  std::size_t window_ = 0;
  z_stream inflater_{};
  bool good_ = false;
  std::vector<char> plain_ = std::vector<char>(4 * kBlock);
};

int listening() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || ::bind(listener, any, length) != 0 || ::listen(listener, 16) != 0 ||
      ::getsockname(listener, any, &length) != 0)
    return -1;
  fmt::print("{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

// One connection, to its end or until standard input has ended and no more comes; false when what came is wrong.
template <class Protocol>
bool serve(int socket, Protocol& protocol, Counts& counts) {
  std::vector<char> buffer(4 * kBlock);
  std::size_t had = 0;
  for (;;) {
    std::array<pollfd, 2> wanted = {{{socket, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), -1) < 0) return false;
    if (wanted[0].revents == 0) return true;
    if (buffer.size() - had < kBlock) buffer.resize(buffer.size() * 2);
    const ssize_t got = ::read(socket, buffer.data() + had, kBlock);
    if (got <= 0) return had == 0;
    counts.bytes += static_cast<std::uint64_t>(got);
    had += static_cast<std::size_t>(got);
    const auto used = protocol.eat(std::string_view(buffer.data(), had), socket);
    if (!used) return false;
    std::memmove(buffer.data(), buffer.data() + *used, had - *used);
    had -= *used;
  }
}

int run(bool lumberjack, std::uint64_t every, std::FILE* file) {
  const int listener = listening();
  if (listener < 0) return 1;
  Counts counts;
  Samples samples(file, every);
  bool good = true;
  for (;;) {
    std::array<pollfd, 2> wanted = {{{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), -1) < 0) return 1;
    if (wanted[0].revents == 0) break;
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return 1;
    Lumberjack windows(counts, samples);
    Lines lines(counts, samples);
    const bool whole = lumberjack ? serve(socket, windows, counts) : serve(socket, lines, counts);
    good = good && whole;
    ::close(socket);
  }
  fmt::print(R"({{"events":{},"bytes":{},"windows":{},"good":{}}})"
             "\n",
             counts.events, counts.bytes, counts.windows, good);
  return std::fclose(file) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::uint64_t every = 0;
  if (arguments.size() == 3 && (arguments[0] == "lines" || arguments[0] == "lumberjack")) {
    const std::string& text = arguments[1];
    const auto read = std::from_chars(text.data(), text.data() + text.size(), every);
    std::FILE* const file = every > 0 && read.ec == std::errc{} ? std::fopen(arguments[2].c_str(), "wb") : nullptr;
    if (file != nullptr) return run(arguments[0] == "lumberjack", every, file);
  }
  fmt::print(stderr, "usage: bench_sink lines|lumberjack EVERY SAMPLES\n");
  return 64;
}
