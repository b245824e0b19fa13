#include "cli/status_watch.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "io/host.h"
#include "io/stop_signals.h"
#include "io/terminal.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

/// How soon a window that changed its size is drawn anew.
constexpr auto kLookAtWindow = std::chrono::milliseconds(200);
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l", kLeave = "\x1b[?25h\x1b[?1049l", kHome = "\x1b[H",
                           kEndLine = "\x1b[K", kEndScreen = "\x1b[J";

/// The other screen of a terminal, while the object lives.
class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out) { out_ << kEnter << std::flush; }
  ~Screen() { out_ << kLeave << std::flush; }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void draw(std::string_view text, const io::Window& window) {
    std::string frame(kHome);
    for (std::size_t row = 0; !text.empty() && row < window.rows; ++row) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const bool last = row + 1 == window.rows;
      const bool more = last && end + 1 < text.size();
      frame += more ? "…" : cut(text.substr(0, end), window.columns);
      frame += kEndLine;
      // A line feed on the last row would scroll.
      if (!last) frame += "\r\n";
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    out_ << frame << kEndScreen << std::flush;
  }

 private:
  static std::string_view cut(std::string_view line, std::size_t columns) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
      if (begins && width++ == columns) return line.substr(0, i);
    }
    return line;
  }
  std::ostream& out_;
};

class Watching {
 public:
  Watching(const std::function<Result<Looked>()>& look, Nanoseconds every, bool json, Shell& shell)
      : look_(look), every_(every), json_(json), shell_(shell) {}

  Result<int> run() {
    auto waiter = TRY(io::Waiter::make());
    const auto signals = TRY(io::StopSignals::catch_them([&] {
      stop_ = true;
      waiter.wake();
    }));
    std::optional<Screen> screen;
    if (shell_.out_terminal && !json_) screen.emplace(shell_.out);
    while (!stop_ && shell_.out) {
      auto now = TRY(look_());
      // What was not written anew tells nothing of the time between.
      if (!now_ || !is_same(now, *now_)) before_ = std::exchange(now_, std::move(now));
      show(screen);
      pause(waiter, screen);
    }
    return static_cast<int>(kGood);
  }

 private:
  static bool is_same(const Looked& one, const Looked& other) {
    return one.running == other.running && one.log_json == other.log_json && one.flows_json == other.flows_json;
  }

  std::string text() const {
    return json_ ? status_json(*now_) : status_text(*now_, before_ ? &*before_ : nullptr, shell_.world.clock.wall_ns());
  }

  void show(std::optional<Screen>& screen) {
    if (screen) {
      window_ = io::window_of(STDOUT_FILENO);
      return screen->draw(text(), window_);
    }
    if (!std::exchange(first_, false) && !json_) shell_.out << "\n";
    shell_.out << text() << std::flush;
  }

  void pause(io::Waiter& waiter, std::optional<Screen>& screen) {
    const std::int64_t until = shell_.world.clock.boot_ns() + every_.count();
    for (;;) {
      const std::int64_t left = until - shell_.world.clock.boot_ns();
      if (left <= 0 || stop_) return;
      const auto nap = screen ? std::min<Nanoseconds>(Nanoseconds(left), kLookAtWindow) : Nanoseconds(left);
      (void)waiter.wait({}, nap);
      if (screen && !(io::window_of(STDOUT_FILENO) == window_)) show(screen);
    }
  }

  const std::function<Result<Looked>()>& look_;
  const Nanoseconds every_;
  const bool json_;
  Shell& shell_;
  std::atomic<bool> stop_{false};
  std::optional<Looked> now_, before_;
  io::Window window_;
  bool first_ = true;
};

}  // namespace

Result<int> watch_status(const std::function<Result<Looked>()>& look, Nanoseconds every, bool json, Shell& shell) {
  return Watching(look, every, json, shell).run();
}

}  // namespace enclave::cli
