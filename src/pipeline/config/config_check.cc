#include "pipeline/config/config_check.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "crypto/age.h"
#include "pipeline/config/listen_address.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool only(std::string_view text, std::string_view letters, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letters.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
  });
}

void check_range(const Node& node, std::string_view key, ByteCount value, ByteCount least, ByteCount most,
                 Diagnostics& diagnostics) {
  if (value >= least && value <= most) return;
  diagnostics.error(place_of(node, key), fmt::format("{}: {} is out of range; from {} to {} is allowed", key,
                                                     format_bytes(value), format_bytes(least), format_bytes(most)));
}

void check_range(const Node& node, std::string_view key, Nanoseconds value, Nanoseconds least, Nanoseconds most,
                 Diagnostics& diagnostics) {
  if (value >= least && value <= most) return;
  diagnostics.error(place_of(node, key),
                    fmt::format("{}: {} is out of range; from {} to {} is allowed", key, format_duration(value),
                                format_duration(least), format_duration(most)));
}

/// "host", "host:port", "[v6]:port".
bool is_authority(std::string_view text) {
  const auto close = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const auto colon = text.find(':', close == std::string_view::npos ? 0 : close);
  const std::string_view host = text.substr(0, colon);
  if (host.empty() || host.size() > 253) return false;
  if (close != std::string_view::npos) {
    if (close + 1 != host.size() || !only(host.substr(1, close - 1), "0123456789abcdefABCDEF", ":.")) return false;
  } else if (!only(host, kAlphanumeric, ".-_")) {
    return false;
  }
  if (colon == std::string_view::npos) return true;
  const std::string_view port = text.substr(colon + 1);
  const auto number = parse_number(port);
  return number && *number <= 65'535;
}

void check_url(const Node& node, StorageConfig& storage, Diagnostics& diagnostics) {
  const bool plain = storage.endpoint.starts_with("http://");
  const Place& place = place_of(node, "endpoint");
  std::string_view rest = std::string_view(storage.endpoint).substr(plain ? 7 : 8);
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
    storage.endpoint.pop_back();
  }
  if (rest.find('@') != std::string_view::npos) {
    diagnostics.error(place, "endpoint: user name and password do not belong into the address; see credentials");
  } else if (!is_authority(rest)) {
    diagnostics.error(place, fmt::format("endpoint: \"{}\" is not the address of a server; write https://HOST or "
                                         "https://HOST:PORT, without the name of a bucket",
                                         storage.endpoint));
  } else if (plain && !storage.insecure_http) {
    diagnostics.error(place,
                      "endpoint: http:// sends data in the clear; use https://, or for a test "
                      "insecure_http: true");
  }
}

/// A server's address in a key other than `endpoint`: without user names, and with a path only where one is wanted.
void check_address(const Node& node, std::string_view key, std::string& value, bool https, bool path,
                   std::string_view form, Diagnostics& diagnostics) {
  if (node.find(key) == nullptr) return;
  while (value.ends_with('/')) value.pop_back();
  const std::string_view scheme = https && value.starts_with("https://") ? "https://" : "http://";
  std::string_view rest = value;
  const bool known = rest.starts_with(scheme);
  if (known) rest.remove_prefix(scheme.size());
  const std::size_t slash = rest.find('/');
  const Place& place = place_of(node, key);
  if (rest.substr(0, slash).find('@') != std::string_view::npos) {
    diagnostics.error(place, fmt::format("{}: user name and password do not belong into the address", key));
  } else if (!known || !is_authority(rest.substr(0, slash)) || (slash != std::string_view::npos) != path) {
    diagnostics.error(place, fmt::format("{}: \"{}\" is not {}", key, value, form));
  }
}

/// `env` names the one place in the environment, which is that of storage.credentials.
void check_credentials(const Node& node, std::string_view key, const std::string& value, bool env,
                       Diagnostics& diagnostics) {
  if (node.find(key) == nullptr || (env && value == "env")) return;
  if ((value.starts_with("file:") && value.size() > 5) || (value.starts_with("profile:") && value.size() > 8)) return;
  // What stands here may be a secret that was put into the wrong place: it is not repeated.
  diagnostics.error(place_of(node, key),
                    fmt::format("{}: neither {}file:PATH nor profile:NAME", key, env ? "env, " : ""));
}

/// One recipient of a list; `opens` is what its identity opens.
void check_recipient(const Node& item, std::string_view opens, Diagnostics& diagnostics) {
  if (item.kind != Node::Kind::scalar) return;
  if (item.scalar.starts_with("AGE-SECRET-KEY-")) {
    diagnostics.error(item.place,
                      fmt::format("recipients: this is an identity, which opens {}, and it stands in a file that "
                                  "others read; make a new one, and write its recipient (age1…) here",
                                  opens));
  } else if (auto recipient = crypto::AgeRecipient::parse(item.scalar); !recipient) {
    diagnostics.error(item.place, fmt::format("recipients: {}", recipient.error().text()));
  }
}

void check_recipient_list(const Node& list, const Strings& recipients, std::string_view opens,
                          Diagnostics& diagnostics) {
  if (recipients.empty() || recipients.size() > kRecipientsMax)
    diagnostics.error(list.place,
                      fmt::format("recipients: {} of them; 1 to {} are allowed", recipients.size(), kRecipientsMax));
  if (list.kind == Node::Kind::scalar) check_recipient(list, opens, diagnostics);
  for (const Node& item : list.items) check_recipient(item, opens, diagnostics);
}

void check_bucket_keeping(const Node& node, const BucketConfig& bucket, Diagnostics& diagnostics) {
  if (!bucket.lock.empty() && bucket.lock != "none" && bucket.retain.count() == 0)
    diagnostics.error(place_of(node, "lock"),
                      fmt::format("lock: {} needs to know for how long; add retain: 365d, say", bucket.lock));
  if (const Node* list = node.find("recipients")) {
    if (bucket.purpose == "logs") {
      diagnostics.error(list->place, "recipients: those of the log stand below keys: recipients:");
    } else {
      check_recipient_list(*list, bucket.recipients, "the data", diagnostics);
    }
  }
}

}  // namespace

const Place& place_of(const Node& map, std::string_view key) {
  const Node* found = map.find(key);
  return found != nullptr ? found->place : map.place;
}

bool is_enclave_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && only(name.substr(0, 1), kAlphanumeric, "") &&
         only(name, kAlphanumeric, "._-");
}

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && only(name, kLower, ".-") && only(name.substr(0, 1), kLower, "") &&
         only(name.substr(name.size() - 1), kLower, "") && name.find("..") == std::string_view::npos;
}

void check_storage(const Node& node, StorageConfig& storage, Diagnostics& diagnostics) {
  const std::string& endpoint = storage.endpoint;
  if (node.find("endpoint") == nullptr) {
    // The embedded store.
  } else if (endpoint.starts_with("https://") || endpoint.starts_with("http://")) {
    check_url(node, storage, diagnostics);
  } else if (!endpoint.starts_with("file:///")) {
    diagnostics.error(place_of(node, "endpoint"),
                      fmt::format("endpoint: \"{}\" is neither file:///DIRECTORY nor https://HOST[:PORT]", endpoint));
  }
  check_credentials(node, "credentials", storage.credentials, true, diagnostics);
  check_credentials(node, "writer", storage.writer, false, diagnostics);
  check_credentials(node, "other", storage.other, false, diagnostics);
  check_address(node, "proxy", storage.proxy, true, false, "the address of a proxy, such as http://proxy:3128",
                diagnostics);
  check_address(node, "plain_endpoint", storage.plain_endpoint, false, false,
                "the address of the server without TLS; write http://HOST:PORT", diagnostics);
  check_address(node, "swift_url", storage.swift_url, true, true,
                "the address of an account; write https://HOST/v1/AUTH_ACCOUNT", diagnostics);
  if (storage.region.empty() || storage.region.size() > 64 || !only(storage.region, kAlphanumeric, "-_."))
    diagnostics.error(place_of(node, "region"),
                      fmt::format("region: \"{}\" is not the name of a region, such as us-east-1", storage.region));
}

void check_buckets(const Node& list, const std::vector<BucketConfig>& buckets, Diagnostics& diagnostics) {
  std::map<std::string_view, bool> names;
  const Place* logs = nullptr;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const Node& node = list.items[i];
    if (node.kind != Node::Kind::map) continue;
    const BucketConfig& bucket = buckets[i];
    const Place& name_place = place_of(node, "name");
    if (node.find("name") == nullptr) {
      diagnostics.error(node.place, "a bucket without a name; add name: NAME");
    } else if (!is_bucket_name(bucket.name)) {
      diagnostics.error(name_place,
                        fmt::format("name: \"{}\" cannot be the name of a bucket; 3 to 63 of a-z, 0-9, \".\" and \"-\" "
                                    "are allowed, the first and the last a letter or a digit",
                                    bucket.name));
    } else if (!names.emplace(bucket.name, true).second) {
      diagnostics.error(name_place, fmt::format("name: \"{}\" stands here a second time", bucket.name));
    }
    if (node.find("for") == nullptr)
      diagnostics.error(node.place, "a bucket without a use; add for: data or for: logs");
    check_bucket_keeping(node, bucket, diagnostics);
    if (bucket.purpose != "logs") continue;
    if (logs != nullptr)
      diagnostics.error(
          place_of(node, "for"),
          fmt::format("for: there is a bucket for logs already, on line {}; only one is used", logs->line));
    logs = &place_of(node, "for");
  }
}

void check_keys(const Node& node, const KeysConfig& keys, Diagnostics& diagnostics) {
  const Node* list = node.find("recipients");
  if (list == nullptr) return;
  check_recipient_list(*list, keys.recipients, "the log", diagnostics);
}

void check_recipients_apart(const Node& root, const Config& config, Diagnostics& diagnostics) {
  std::map<std::string, bool> of_log;
  for (const auto& text : config.keys.recipients)
    if (const auto recipient = crypto::AgeRecipient::parse(text)) of_log.emplace(recipient->text(), true);
  const Node* list = root.find("buckets");
  for (std::size_t i = 0; i < config.buckets.size() && i < list->items.size(); ++i) {
    for (const auto& text : config.buckets[i].recipients) {
      const auto recipient = crypto::AgeRecipient::parse(text);
      if (!recipient || !of_log.contains(recipient->text()) || config.buckets[i].purpose == "logs") continue;
      diagnostics.error(place_of(list->items[i], "recipients"),
                        fmt::format("recipients: {} is also a recipient of the log; who reads the data must not "
                                    "thereby read the log: make a second identity",
                                    text));
    }
  }
}

void check_waiver(const Node& node, WaiverConfig& waiver, Diagnostics& diagnostics) {
  waiver.place = node.place;
  waiver.control_place = place_of(node, "control");
  waiver.subject_place = place_of(node, "subject");
  waiver.until_place = place_of(node, "until");
  constexpr std::int64_t kDay = 86'400LL * 1'000'000'000;
  if (waiver.control.empty())
    diagnostics.error(waiver.control_place, "a waiver without a control; add control: and its id");
  if (waiver.reason.find_first_not_of(" \t\n") == std::string::npos)
    diagnostics.error(place_of(node, "reason"), "a waiver without a reason; add reason: and why this is accepted");
  if (waiver.until.empty()) {
    diagnostics.error(waiver.until_place, "a waiver without an end; add until: and its last day, as YYYY-MM-DD");
    return;
  }
  const auto day = parse_time(waiver.until);
  if (!day || waiver.until.size() != 10) {
    diagnostics.error(waiver.until_place, fmt::format("until: \"{}\" is not a day; write one such as 2027-06-30",
                                                      waiver.until.substr(0, 64)));
    return;
  }
  waiver.until_ns = *day + kDay;
}

void check_archive(const Node& node, const ArchiveConfig& archive, Diagnostics& diagnostics) {
  check_range(node, "flush_after", archive.flush_after, std::chrono::milliseconds(100), std::chrono::hours(24),
              diagnostics);
  check_range(node, "heartbeat", archive.heartbeat, std::chrono::seconds(1), std::chrono::hours(24), diagnostics);
  check_range(node, "batch_bytes", archive.batch_bytes, 64_KiB, 1_GiB, diagnostics);
  check_range(node, "object_bytes", archive.object_bytes, 64_KiB, 1_GiB, diagnostics);
}

void check_spool(const Node& node, const SpoolConfig& spool, Diagnostics& diagnostics) {
  check_range(node, "bytes_max", spool.bytes_max, 1_MiB, ByteCount{1ULL << 50}, diagnostics);
  check_range(node, "segment_bytes", spool.segment_bytes, 64_KiB, 1_GiB, diagnostics);
  if (spool.segment_bytes.value > spool.bytes_max.value / 2)
    diagnostics.error(place_of(node, node.find("segment_bytes") != nullptr ? "segment_bytes" : "bytes_max"),
                      fmt::format("segment_bytes: {} is more than half of bytes_max, {}; space is given back by whole "
                                  "segments",
                                  format_bytes(spool.segment_bytes), format_bytes(spool.bytes_max)));
}

void check_metrics(const Node& node, const MetricsConfig& metrics, Diagnostics& diagnostics) {
  if (metrics.listen.empty() || metrics.listen == "off") return;
  const auto address = parse_listen_address(metrics.listen);
  if (!address) diagnostics.error(place_of(node, "listen"), fmt::format("listen: {}", address.error().text()));
}

}  // namespace enclave::pipeline
