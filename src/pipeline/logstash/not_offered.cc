#include "pipeline/logstash/not_offered.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/options.h"

namespace enclave::pipeline::logstash {
namespace {

/// Plugins that people have, and what here does their job best.
struct Instead {
  std::string_view kind, name, with;
};
constexpr Instead kInstead[] = {
    {"input", "elastic_agent", "beats reads the same protocol"},
    {"input", "lumberjack", "beats reads version 1 of the protocol too"},
    {"input", "log4j", "tcp with the codec json_lines, and a socket appender"},
    {"input", "gelf", "udp or tcp with the codec json"},
    {"input", "kafka", "let a consumer write to tcp with the codec json_lines"},
    {"input", "redis", "let the sender use beats"},
    {"input", "rabbitmq", "let the sender use beats"},
    {"input", "s3", "`enclave object get` fetches objects; file reads them"},
    {"input", "exec", "let a timer write to a file that the input file reads"},
    {"input", "jdbc", "let a timer write to a file that the input file reads"},
    {"output", "kafka", "lumberjack to a Logstash that has it, or http"},
    {"output", "redis", "lumberjack to a Logstash that has it"},
    {"output", "rabbitmq", "lumberjack to a Logstash that has it"},
    {"output", "email", "http to a service that sends mail"},
    {"output", "syslog", "tcp or udp with the codec line and a format"},
    {"output", "gelf", "udp or tcp with the codec json"},
    {"output", "exec", "file, and a program that follows it"},
    {"output", "elastic_app_search", "elasticsearch or http"},
    {"filter", "aggregate", "ruby keeps values between events"},
    {"filter", "elapsed", "ruby keeps values between events"},
    {"filter", "metrics", "the counters of `enclave status` and /metrics"},
    {"filter", "metricize", "ruby"},
    {"filter", "anonymize", "fingerprint"},
    {"filter", "bytes", "ruby"},
    {"filter", "age", "ruby"},
    {"filter", "alter", "mutate and a condition"},
    {"filter", "extractnumbers", "grok"},
    {"filter", "json_encode", "ruby: event.get(\"f\").to_json"},
    {"filter", "sleep", "throttle; back-pressure slows senders by itself"},
    {"filter", "dns", "translate with a dictionary file"},
    {"filter", "tld", "grok or ruby"},
    {"filter", "multiline", "the codec multiline of the input"},
    {"codec", "netflow", "a collector that writes JSON lines"},
    {"codec", "gzip_lines", "the input file reads packed files by itself"},
    {"codec", "es_bulk", "json_lines"},
    {"codec", "edn", "json_lines"},
};

}  // namespace

std::string not_offered(std::string_view kind, std::string_view name, std::span<const std::string_view> names) {
  const auto known =
      std::ranges::find_if(kInstead, [&](const Instead& each) { return each.kind == kind && each.name == name; });
  if (known != std::end(kInstead))
    return fmt::format("the {} \"{}\" is not offered; instead: {}", kind, name, known->with);
  const std::string near = nearest(name, names);
  if (!near.empty()) return fmt::format("there is no {} \"{}\"; did you mean \"{}\"?", kind, name, near);
  return fmt::format("there is no {} \"{}\"; offered are {}", kind, name, fmt::join(names, ", "));
}

}  // namespace enclave::pipeline::logstash
