#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace enclave {

/// An HTTP server on a loopback port that says what the test tells it to: for answers that no good server gives.
class ScriptedServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::string head;  ///< request line and headers
    std::string body;
  };
  /// The raw bytes of the answer. The connection stays open, unless they hold "Connection: close" or are empty.
  using Script = std::function<std::string(const Request&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    ENSURE(::bind(listening_, raw, size) == 0 && ::listen(listening_, 16) == 0);
    ENSURE(::getsockname(listening_, raw, &size) == 0);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    stopping_ = true;
    accepting_.join();
    for (auto& connection : connections_) connection.join();
    ::close(listening_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// Connections that it has closed.
  int closed() const { return closed_; }

  static std::string answer(int status, std::string_view body, std::string_view headers = "") {
    return fmt::format("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body);
  }

 private:
  bool readable(int fd) const {
    while (!stopping_) {
      pollfd waiting{fd, POLLIN, 0};
      if (::poll(&waiting, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all() {
    while (readable(listening_)) {
      const int fd = ::accept(listening_, nullptr, nullptr);
      if (fd >= 0) connections_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string received;
    for (;;) {
      std::size_t head = 0;
      while ((head = received.find("\r\n\r\n")) == std::string::npos ||
             received.size() < head + 4 + length_in(received)) {
        char bytes[65536];
        const ssize_t got = readable(fd) ? ::recv(fd, bytes, sizeof bytes, 0) : 0;
        if (got <= 0) {
          ::close(fd);
          return;
        }
        received.append(bytes, static_cast<std::size_t>(got));
      }
      Request request;
      request.head = received.substr(0, head + 2);
      request.method = request.head.substr(0, request.head.find(' '));
      request.target = request.head.substr(request.method.size() + 1);
      request.target.resize(request.target.find(' '));
      const std::size_t length = length_in(received);
      request.body = received.substr(head + 4, length);
      received.erase(0, head + 4 + length);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string said = script_(request);
      (void)::send(fd, said.data(), said.size(), MSG_NOSIGNAL);
      if (said.empty() || said.find("Connection: close") != std::string::npos) {
        ::shutdown(fd, SHUT_WR);
        ::close(fd);
        ++closed_;
        return;
      }
    }
  }

  static std::size_t length_in(const std::string& received) {
    const auto at = received.find("Content-Length: ");
    return at == std::string::npos || at > received.find("\r\n\r\n")
               ? 0
               : static_cast<std::size_t>(std::strtoul(received.c_str() + at + 16, nullptr, 10));
  }

  Script script_;
  int listening_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> closed_{0};
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<std::thread> connections_;
  std::thread accepting_;
};

}  // namespace enclave
