#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "pipeline/input.h"

/// Who sends to an input that listens, as sources of events.
namespace enclave::pipeline {

/// The sources `<kind>:<address>@<port>`. Their positions count events, over restarts too: they come from whoever
/// reaches the port, so nothing that they say of themselves is a name here. What no longer has room among 4,096
/// addresses is `<kind>:others@<port>`.
class PeerSources {
 public:
  /// `place` stands behind the @: a port, or a path (white space and such in it is replaced).
  PeerSources(std::string kind, std::string_view place, const Positions& positions);

  struct Peer {
    std::string source;
    std::uint64_t count = 0;  ///< events given out
  };
  /// Stays where it is.
  Peer& of(std::string_view address);

  /// Adds events of one peer to a batch; when it goes, the range is complete.
  class Adding {
   public:
    Adding(event::Batch& batch, Peer& peer) : batch_(batch), peer_(peer), before_(peer.count) {}
    ~Adding();
    Adding(const Adding&) = delete;
    Adding& operator=(const Adding&) = delete;
    event::Event& add(std::string_view raw, event::Eol eol, std::string_view fields);

   private:
    event::Batch& batch_;
    Peer& peer_;
    const std::uint64_t before_;
    std::uint32_t index_ = 0;
  };

 private:
  const std::string kind_, place_;
  std::map<std::string, Peer, std::less<>> peers_;  ///< by address
};

/// Where an event came from, as it stands in Event::fields.
struct PeerAddress {
  std::string_view address;  ///< of who sent it
  std::uint16_t port = 0;
  std::string_view proxy_address;  ///< of the proxy in between; empty: there is none
  std::uint16_t proxy_port = 0;
};
/// `"source":{"address":"192.0.2.7","port":40312}`. Addresses are numeric.
std::string peer_fields(const PeerAddress& peer);
/// The other way round; what is missing is empty.
PeerAddress peer_of(std::string_view fields);

}  // namespace enclave::pipeline
