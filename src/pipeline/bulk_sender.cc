#include "pipeline/bulk_sender.h"

#include <fmt/format.h>

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Of one item of an answer.
struct Outcome {
  std::int64_t status = 0;
  std::string_view type, reason;
};

std::string_view text_in(const Value* map, std::string_view name) {
  const Value* const found = map != nullptr && map->is(Kind::map) ? map->find(name) : nullptr;
  return found != nullptr && found->is(Kind::text) ? found->text() : "";
}

Outcome outcome_of(const Value& item) {
  Outcome outcome;
  // {"index": {"status": 201}}: the only member is the action.
  if (!item.is(Kind::map) || item.members().empty()) return outcome;
  const Value& told = item.members()[0].value;
  if (!told.is(Kind::map)) return outcome;
  if (const Value* const status = told.find("status"); status != nullptr && status->is(Kind::integer))
    outcome.status = status->integer();
  const Value* const error = told.find("error");
  outcome.type = text_in(error, "type");
  outcome.reason = error != nullptr && error->is(Kind::text) ? error->text() : text_in(error, "reason");
  return outcome;
}

bool is_good(std::int64_t status) { return status >= 200 && status < 300; }

/// What may go well later: a busy server, and one that has blocked writing because its disk is nearly full.
bool is_busy(const Outcome& outcome) {
  return outcome.status == 429 || outcome.status >= 500 || outcome.status == 0 ||
         outcome.type == "cluster_block_exception";
}

/// In place of the action of a letter whose event is the action.
constexpr std::string_view kActionAlone = "the action alone";

std::string_view excerpt(std::string_view text) { return text.substr(0, 300); }

}  // namespace

Result<void> BulkOutput::open(const OutputSetup& setup) {
  setup_.emplace(setup);
  http_ = TRY(io::HttpClient::make(options_.http));
  patience_.emplace(setup.stopping, options_.retry_first, options_.retry_most);
  return {};
}

void BulkOutput::trouble(std::string_view text) {
  troubled_ = true;
  setup_->log.trouble(setup_->id, text);
}

Result<void> BulkOutput::bury(std::string_view piece, std::string_view reason) {
  setup_->log.count("events_refused", 1);
  // The document stands behind its action; a delete has none, and what the packer refused no action.
  const std::size_t line = piece.find('\n');
  const bool both = line + 1 < piece.size() && line != std::string_view::npos;
  std::string_view document = both ? piece.substr(line + 1) : piece;
  while (document.ends_with('\n')) document.remove_suffix(1);
  const std::string_view to = both ? piece.substr(0, line) : line == std::string_view::npos ? "" : kActionAlone;
  return setup_->dead_letters.add(options_.plugin, {reason, document, to});
}

bool BulkOutput::put_back(const Refused& refused, Parcel& into) const {
  if (refused.to.empty()) return false;
  // Target 0 is what can be sent.
  if (into.targets.empty()) into.targets.emplace_back();
  const std::size_t begin = into.bytes.size();
  if (refused.to != kActionAlone) into.bytes.append(refused.to).append("\n");
  into.bytes.append(refused.event).append("\n");
  into.add(begin);
  return true;
}

Result<void> BulkOutput::deliver(Parcel& parcel, std::uint64_t ticket) {
  Pieces pieces;
  std::uint64_t bytes = 0;
  const std::string_view all = parcel.bytes;
  for (const auto& piece : parcel.pieces) {
    const std::string_view text = all.substr(piece.begin, piece.end - piece.begin);
    if (piece.target != 0) {
      TRY(bury(text, parcel.targets[piece.target]));
      continue;
    }
    if (!pieces.empty() &&
        (bytes + text.size() > options_.request_bytes_max || pieces.size() >= options_.request_events_max)) {
      TRY(send_all(std::move(pieces)));
      pieces.clear();
      bytes = 0;
    }
    pieces.push_back(text);
    bytes += text.size();
  }
  if (!pieces.empty()) TRY(send_all(std::move(pieces)));
  last_ = ticket;
  return {};
}

Result<void> BulkOutput::send_all(Pieces pieces) {
  patience_->reset();
  for (;;) {
    Pieces again;
    TRY(send_some(pieces, again));
    if (again.empty()) break;
    setup_->log.count("events_sent_again", static_cast<std::int64_t>(again.size()));
    pieces = std::move(again);
    if (!patience_->wait()) return Error{Fault::busy, "{}: the program stops", setup_->id};
  }
  if (std::exchange(troubled_, false)) setup_->log.resolved(setup_->id);
  return {};
}

Result<io::HttpResponse> BulkOutput::exchange(std::string_view body) {
  io::HttpRequest request;
  request.method = "POST";
  request.url = options_.urls[host_ % options_.urls.size()];
  request.headers = options_.headers;
  request.headers.emplace_back("Content-Type", "application/x-ndjson");
  request.body = body;
  if (options_.compression_level > 0) {
    compressed_.clear();
    gzip_.append(body, compressed_);
    request.body = compressed_;
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  request.response_bytes_max = 64 << 20;
  return http_->send(request);
}

Result<void> BulkOutput::send_some(std::span<const std::string_view> pieces, Pieces& again) {
  // What follows each other in the parcel is sent from there.
  std::string_view body(pieces[0].data(),
                        static_cast<std::size_t>(pieces.back().data() - pieces[0].data()) + pieces.back().size());
  std::size_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  if (bytes != body.size()) {
    body_.clear();
    for (const auto piece : pieces) body_ += piece;
    body = body_;
  }
  const auto response = exchange(body);
  if (response && response->status == 200) return judge(pieces, *response, again);
  if (response) return refused(pieces, *response, again);
  trouble(fmt::format("{}: {}", options_.urls[host_ % options_.urls.size()], response.error().text()));
  ++host_;
  again.assign(pieces.begin(), pieces.end());
  return {};
}

/// The request as a whole was not taken.
Result<void> BulkOutput::refused(std::span<const std::string_view> pieces, const io::HttpResponse& response,
                                 Pieces& again) {
  const std::string text = fmt::format("{} answered {}: {}", options_.urls[host_ % options_.urls.size()],
                                       response.status, excerpt(response.body));
  if (response.status == 413 || response.status == 400) {
    if (pieces.size() == 1) return bury(pieces[0], fmt::format("{} {}", response.status, excerpt(response.body)));
    // One of them is what it does not take: halves find it.
    TRY(send_some(pieces.first(pieces.size() / 2), again));
    return send_some(pieces.subspan(pieces.size() / 2), again);
  }
  ++host_;
  if (response.status == 401 || response.status == 403)
    trouble(text + "; check user and password or api_key, and the right to write to this index");
  else
    trouble(text);
  again.assign(pieces.begin(), pieces.end());
  return {};
}

Result<void> BulkOutput::judge(std::span<const std::string_view> pieces, const io::HttpResponse& response,
                               Pieces& again) {
  event::Arena arena;
  const auto answer = json_.read(response.body, arena);
  const Value* const items = answer && answer->is(Kind::map) ? answer->find("items") : nullptr;
  if (items == nullptr || !items->is(Kind::list) || items->items().size() != pieces.size()) {
    trouble(fmt::format("{}: the answer is not that of a bulk request: {}", options_.urls[host_ % options_.urls.size()],
                        excerpt(response.body)));
    ++host_;
    again.assign(pieces.begin(), pieces.end());
    return {};
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Outcome outcome = outcome_of(items->items()[i]);
    if (is_good(outcome.status)) continue;
    if (outcome.status == 409) {
      setup_->log.count("events_in_conflict", 1);
    } else if (is_busy(outcome)) {
      trouble(fmt::format("events are not taken for now: {} {}: {}", outcome.status, outcome.type,
                          excerpt(outcome.reason)));
      again.push_back(pieces[i]);
    } else {
      TRY(bury(pieces[i], fmt::format("{} {}: {}", outcome.status, outcome.type, excerpt(outcome.reason))));
    }
  }
  return {};
}

}  // namespace enclave::pipeline
