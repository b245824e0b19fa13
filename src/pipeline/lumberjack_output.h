#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/client_connection.h"
#include "pipeline/output.h"

/// The sending side of Lumberjack 2 as an output: to Logstash, to us, to anybody who receives from Beats.
namespace enclave::pipeline {

struct LumberjackOptions {
  std::vector<io::Endpoint> hosts;  ///< one at least
  bool load_balance = false;        ///< windows go to all hosts; else to one, and to the next when that fails
  std::uint64_t workers = 1;        ///< connections to each host, when balancing
  std::uint64_t window_events = 2048;
  int compression_level = 3;                       ///< 0: none, to 9
  std::uint64_t pipelining = 2;                    ///< windows of one connection that wait for acknowledgement; 0 is 1
  Nanoseconds ttl{0};                              ///< a connection that is older is made anew; 0: never
  Nanoseconds timeout = std::chrono::seconds(30);  ///< without any sign of life of the other side
  bool slow_start = false;                         ///< small windows after an error, twice as many each time
  Nanoseconds backoff_init = std::chrono::seconds(1), backoff_max = std::chrono::seconds(60);
  std::optional<io::TlsClientOptions> tls;
  bool with_metadata = true;  ///< "@metadata" is sent, as Beats do it
  std::string payload_field;  ///< instead of the event one text made by `codec` is sent, in this field; empty: none
  const CodecChoice* codec = nullptr;  ///< of `payload_field`; outlives the output
};

/// At most 64 MiB of events wait or are on their way; deliver() waits for room. Windows of one parcel go out in their
/// order, but to several hosts at once. What was not acknowledged when a connection ends is sent again on the next one,
/// first of all: nothing is given up, and what was not acknowledged may come twice.
std::unique_ptr<Output> make_lumberjack_output(LumberjackOptions options);

}  // namespace enclave::pipeline
