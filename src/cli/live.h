#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "cli/verb.h"

namespace enclave::cli {

/// Messages, and on a terminal one line at the bottom that changes. Thread-safe.
class Live {
 public:
  /// `out` gets the messages, `terminal` the line; without `shown` there is no line.
  Live(std::ostream& out, std::ostream& terminal, bool shown) : out_(out), terminal_(terminal), shown_(shown) {}
  ~Live() { clear(); }
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  void say(std::string_view text) {
    const std::lock_guard lock(mutex_);
    erase();
    out_ << text << "\n" << std::flush;
  }
  void line(std::string_view text) {
    if (!shown_) return;
    const std::lock_guard lock(mutex_);
    erase();
    terminal_ << text.substr(0, 79) << std::flush;
    drawn_ = true;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    erase();
  }

 private:
  void erase() {
    if (!std::exchange(drawn_, false)) return;
    terminal_ << "\r\x1b[K" << std::flush;
  }

  std::mutex mutex_;
  std::ostream& out_;
  std::ostream& terminal_;
  const bool shown_;
  bool drawn_ = false;
};

}  // namespace enclave::cli
