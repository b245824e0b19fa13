#include <algorithm>

#include "pipeline/beats_server.h"

/// The part of the server that gives lines out, once.
namespace enclave::pipeline {
namespace {

// First lines of files only: they are short, and decided about within the window.
constexpr std::size_t kHeldMax = 256, kHeldBytesMax = 1 << 20;

}  // namespace

void BeatsServer::add(Sender& sender, event::Batch& batch, const event::LumberjackItem& item) {
  if (sender.source.empty()) name_source(sender);
  if (sender.stream.scope == 0) {
    // Others may say the same of themselves; what they send must drop nothing of this one.
    const auto* const connection = listener_->find(sender.id);
    const std::string name = connection == nullptr ? std::string() : connection->peer_name();
    sender.stream.scope = BeatsSeen::scope_of(name.empty() ? "address " + sender.address : "certificate " + name) | 1;
  }
  if (item.version == '2') return recognise(sender, batch, item);
  give(sender, batch, batch.store_padded(item.json));
}

/// `json` is the batch's, and padded.
void BeatsServer::give(Sender& sender, event::Batch& batch, std::string_view json) {
  std::uint64_t& count = counts_.find(sender.source)->second;
  const bool known = !batch.sources.empty() && batch.sources.back().source == sender.source;
  const std::uint32_t source =
      known ? static_cast<std::uint32_t>(batch.sources.size() - 1) : batch.source(sender.source, std::to_string(count));
  event::Event& event = batch.events.emplace_back();
  event.raw = json;
  event.padded = true;
  event.offset = count++;
  event.source = source;
  event.eol = event::Eol::none;
  auto& range = batch.sources[source];
  ++range.count;
  range.to = std::to_string(count);
  range.state = range.to;
  sender.batch = given_ + 1;
}

void BeatsServer::recognise(Sender& sender, event::Batch& batch, const event::LumberjackItem& item) {
  static_assert(event::Batch::kPadding >= BeatParser::kPadding);
  const std::string_view json = batch.store_padded(item.json);
  BeatLine line;
  const bool is_line = sender.lines.read(json, parser_, line);
  if (!is_line) return give(sender, batch, json);
  switch (seen_.look(sender.stream, line, given_ + 1)) {
    case Seen::fresh:
      return give(sender, batch, json);
    case Seen::refuted: {
      auto file = std::exchange(sender.stream.other, nullptr);
      if (file == nullptr) file = sender.stream.file;
      release_held(sender, batch, file.get());
      seen_.add(sender.stream, line, given_ + 1, false);
      return give(sender, batch, json);
    }
    case Seen::held:
      sender.held.push_back({sender.stream.file, std::string(json)});
      sender.held_bytes += json.size();
      batch.shrink_last(json.size());
      if (sender.held.size() > kHeldMax || sender.held_bytes > kHeldBytesMax) release_held(sender, batch, nullptr);
      return;
    case Seen::proven:
      drop_held(sender, sender.stream.file.get());
      [[fallthrough]];
    case Seen::again:
      batch.shrink_last(json.size());
      dropped_bytes_ += json.size();
      log_.count("events_resent", 1);
      sender.batch = std::max(sender.batch, sender.stream.needs);
      return;
  }
}

/// In doubt a line is kept: once too often is better than never. Null: of all files.
void BeatsServer::release_held(Sender& sender, event::Batch& batch, const SeenFile* of) {
  if (sender.held.empty()) return;
  std::int64_t kept = 0, dropped = 0;
  const SeenFile* believed = nullptr;
  std::erase_if(sender.held, [&](const Held& held) {
    if (of != nullptr && held.file.get() != of) return false;
    if (of == nullptr && (held.file.get() == believed || BeatsSeen::believes(sender.stream, *held.file))) {
      believed = held.file.get();
      sender.held_bytes -= held.json.size();
      ++dropped;
      return true;
    }
    const std::string_view json = batch.store_padded(held.json);
    BeatLine line;
    const bool is_line = parser_.parse(json, line);
    sender.held_bytes -= held.json.size();
    if (is_line) seen_.add(sender.stream, line, given_ + 1, of == nullptr);
    give(sender, batch, json);
    ++kept;
    return true;
  });
  // Those that were refuted are new for certain.
  if (of == nullptr) log_.count("events_unsure", kept);
  log_.count("events_resent", dropped);
  if (dropped > 0) sender.batch = std::max(sender.batch, sender.stream.needs);
}

void BeatsServer::drop_held(Sender& sender, const SeenFile* of) {
  const auto dropped = std::erase_if(sender.held, [&](const Held& held) {
    if (held.file.get() != of) return false;
    sender.held_bytes -= held.json.size();
    return true;
  });
  log_.count("events_resent", static_cast<std::int64_t>(dropped));
}

}  // namespace enclave::pipeline
