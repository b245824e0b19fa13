#include "pipeline/peer_sources.h"

#include <charconv>

#include "pipeline/file_state.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPeersMax = 4096;
constexpr std::string_view kOthers = "others";
constexpr std::string_view kAddress = "\"address\":\"", kPort = "\"port\":", kProxy = ",\"proxy\":";

std::string_view text_behind(std::string_view fields, std::string_view key) {
  const std::size_t at = fields.find(key);
  if (at == std::string_view::npos) return {};
  fields.remove_prefix(at + key.size());
  return fields.substr(0, fields.find('"'));
}

std::uint16_t port_behind(std::string_view fields) {
  std::uint16_t port = 0;
  const std::size_t at = fields.find(kPort);
  if (at == std::string_view::npos) return 0;
  std::from_chars(fields.data() + at + kPort.size(), fields.data() + fields.size(), port);
  return port;
}

}  // namespace

PeerSources::PeerSources(std::string kind, std::string_view place, const Positions& positions)
    : kind_(std::move(kind)), place_(escape_path(place)) {
  const std::string prefix = kind_ + ":", suffix = "@" + place_;
  for (const auto& [source, state] : positions.all(prefix)) {
    Peer peer{source, 0};
    if (!source.ends_with(suffix) || source.size() <= prefix.size() + suffix.size()) continue;
    if (std::from_chars(state.data(), state.data() + state.size(), peer.count).ec != std::errc()) continue;
    const std::string address = source.substr(prefix.size(), source.size() - prefix.size() - suffix.size());
    peers_.emplace(address, std::move(peer));
  }
}

PeerSources::Peer& PeerSources::of(std::string_view address) {
  auto found = peers_.find(address);
  if (found == peers_.end() && peers_.size() >= kPeersMax) {
    address = kOthers;
    found = peers_.find(address);
  }
  if (found == peers_.end())
    found = peers_.emplace(address, Peer{fmt::format("{}:{}@{}", kind_, address, place_), 0}).first;
  return found->second;
}

event::Event& PeerSources::Adding::add(std::string_view raw, event::Eol eol, std::string_view fields) {
  if (peer_.count == before_) index_ = batch_.source(peer_.source, std::to_string(before_));
  event::Event& event = batch_.events.emplace_back();
  event.raw = raw;
  event.fields = fields;
  event.offset = peer_.count++;
  event.source = index_;
  event.eol = eol;
  return event;
}

PeerSources::Adding::~Adding() {
  if (peer_.count == before_) return;
  auto& range = batch_.sources[index_];
  range.count += peer_.count - before_;
  range.to = range.state = std::to_string(peer_.count);
}

std::string peer_fields(const PeerAddress& peer) {
  std::string fields = fmt::format(R"("source":{{"address":"{}","port":{}}})", peer.address, peer.port);
  if (!peer.proxy_address.empty())
    fields += fmt::format(R"(,"proxy":{{"address":"{}","port":{}}})", peer.proxy_address, peer.proxy_port);
  return fields;
}

PeerAddress peer_of(std::string_view fields) {
  const std::size_t proxy = std::min(fields.find(kProxy), fields.size());
  const std::string_view first = fields.substr(0, proxy), second = fields.substr(proxy);
  return {text_behind(first, kAddress), port_behind(first), text_behind(second, kAddress), port_behind(second)};
}

}  // namespace enclave::pipeline
