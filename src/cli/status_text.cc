#include "cli/status_text.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "base/time.h"
#include "cli/json.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

using pipeline::FlowStatus;
using report::grouped;

constexpr double kSecond = 1e9;
constexpr std::size_t kNameColumns = 27;

std::string span_text(std::int64_t seconds) {
  return seconds < 120       ? fmt::format("{} s", seconds)
         : seconds < 7'200   ? fmt::format("{} min", seconds / 60)
         : seconds < 172'800 ? fmt::format("{} h", seconds / 3600)
                             : fmt::format("{} days", seconds / 86'400);
}

std::string age_text(std::int64_t wall_ns, std::int64_t now_ns) {
  if (wall_ns == 0) return "none";
  const std::int64_t seconds = std::max<std::int64_t>((now_ns - wall_ns) / 1'000'000'000, 0);
  return fmt::format("{} ago ({})", span_text(seconds), format_time(wall_ns).substr(0, 19) + "Z");
}

void row(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{:<16}{}\n", name, value);
}

std::string log_text(const pipeline::StatusFile& file, std::int64_t now_ns) {
  const auto& status = file.status;
  std::string out;
  row(out, "Log", status.origin);
  row(out, "Key", status.trust_anchor);
  row(out, "Records",
      fmt::format("{} read since the start, {} sealed in all", status.records_read, status.last_sealed_seq));
  row(out, "Leaves", fmt::format("{}, of which the store has {}", status.leaves, status.published_leaves));
  row(out, "Spool",
      fmt::format("{} of {}", format_bytes(status.spool_bytes + status.outbox_bytes),
                  format_bytes(status.spool_bytes_max)));
  row(out, "Oldest unsealed", age_text(status.oldest_unsealed_wall_ns, now_ns));
  row(out, "Oldest unsent", age_text(status.oldest_unsent_wall_ns, now_ns));
  row(out, "Objects waiting", std::to_string(status.objects_waiting));
  row(out, "Last seal", age_text(status.last_sealed_wall_ns, now_ns));
  row(out, "Last sent", age_text(status.last_sent_wall_ns, now_ns));
  if (status.lost > 0) row(out, "Lost", fmt::format("{} (see the gap leaves)", status.lost));
  if (status.reading_stopped) row(out, "Reading", "stopped, because the spool or the disk is full");
  for (const auto& text : status.troubles) row(out, "Trouble", text);
  return out;
}

/// "elasticsearch at 30-out.conf:12" of the same with a long path, cut to what fits.
std::string short_name(std::string_view id) {
  std::string name = report::printable(id);
  constexpr std::string_view kAt = " at ";
  if (const std::size_t at = name.find(kAt), slash = name.rfind('/');
      at != std::string::npos && slash != std::string::npos && slash > at)
    name.erase(at + kAt.size(), slash + 1 - at - kAt.size());
  if (report::width_of(name) <= kNameColumns) return name;
  std::string cut;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(name[i]) & 0xc0) != 0x80;
    if (begins && report::width_of(cut) == kNameColumns - 1) break;
    cut += name[i];
  }
  return cut + "…";
}

std::string rate_text(double rate) {
  if (rate <= 0) return "0";
  if (rate < 100) return fmt::format("{:.1f}", rate);
  return rate < 1e6 ? grouped(static_cast<std::uint64_t>(std::llround(rate))) : fmt::format("{:.1f}M", rate / 1e6);
}

std::string time_text(std::int64_t busy_ns, std::uint64_t events) {
  if (events == 0) return "";
  const double each = static_cast<double>(busy_ns) / static_cast<double>(events);
  if (each < 1e3) return fmt::format("{:.0f} ns", each);
  if (each < 1e6) return fmt::format("{:.1f} µs", each / 1e3);
  return each < 1e9 ? fmt::format("{:.1f} ms", each / 1e6) : fmt::format("{:.1f} s", each / 1e9);
}

/// One line of the table; `dropped` and `rate` are shown when there is something to show.
struct Line {
  std::string name, in, out, dropped, rate, each;
  std::string text() const {
    std::string line =
        fmt::format("  {:<{}} {:>11} {:>11} {:>9} {:>7} {:>8}", name, kNameColumns, in, out, dropped, rate, each);
    while (line.ends_with(' ')) line.pop_back();
    return line + "\n";
  }
};

/// Rates of a pipeline between two looks, or since it began.
class Rates {
 public:
  Rates(const FlowStatus& now, std::int64_t now_ns, const FlowStatus* before, std::int64_t before_ns)
      : before_(before != nullptr && before->started_wall_ns == now.started_wall_ns && before_ns < now_ns ? before
                                                                                                          : nullptr) {
    const std::int64_t since = before_ != nullptr ? before_ns : now.started_wall_ns;
    seconds_ = since == 0 ? 0 : static_cast<double>(now_ns - since) / kSecond;
  }
  double seconds() const { return seconds_; }
  bool since_start() const { return before_ == nullptr; }

  template <class Part>
  std::string of(std::uint64_t count, const std::vector<Part> FlowStatus::*parts, std::size_t index,
                 std::uint64_t Part::*field) const {
    std::uint64_t base = 0;
    if (before_ != nullptr && index < (before_->*parts).size()) base = (before_->*parts)[index].*field;
    return per_second(count, base);
  }
  std::string of(std::uint64_t count, std::uint64_t FlowStatus::*field) const {
    return per_second(count, before_ == nullptr ? 0 : before_->*field);
  }

 private:
  std::string per_second(std::uint64_t count, std::uint64_t base) const {
    if (seconds_ <= 0) return "";
    return rate_text(static_cast<double>(count - std::min(base, count)) / seconds_);
  }
  const FlowStatus* before_;
  double seconds_ = 0;
};

void add_plugins(const FlowStatus& flow, const Rates& rates, std::string& out) {
  for (std::size_t i = 0; i < flow.sources.size(); ++i) {
    const auto& one = flow.sources[i];
    if (i == 0) out += "Inputs\n";
    out += Line{short_name(one.id),
                grouped(one.readings),
                grouped(one.events),
                "",
                rates.of(one.events, &FlowStatus::sources, i, &FlowStatus::In::events),
                time_text(one.busy_ns, one.events)}
               .text();
  }
  for (std::size_t i = 0; i < flow.filters.size(); ++i) {
    const auto& one = flow.filters[i];
    if (i == 0) out += "Filters\n";
    out += Line{short_name(one.name),
                grouped(one.in),
                grouped(one.in + one.made - std::min(one.dropped, one.in + one.made)),
                one.dropped == 0 ? "" : grouped(one.dropped),
                rates.of(one.in, &FlowStatus::filters, i, &pipeline::logstash::FilterCount::in),
                time_text(one.busy_ns, one.in)}
               .text();
  }
  for (std::size_t i = 0; i < flow.outputs.size(); ++i) {
    const auto& one = flow.outputs[i];
    if (i == 0) out += "Outputs\n";
    const std::uint64_t refused = one.dead_letters + one.dead_letters_lost;
    out += Line{short_name(one.id),
                grouped(one.events),
                grouped(one.delivered),
                refused == 0 ? "" : grouped(refused),
                rates.of(one.delivered, &FlowStatus::outputs, i, &FlowStatus::Out::delivered),
                time_text(one.busy_ns, one.events)}
               .text();
  }
}

std::string flow_text(const FlowStatus& flow, const Rates& rates) {
  std::string out =
      fmt::format("\nPipeline {}: rates {}\n", report::printable(flow.id),
                  rates.since_start() ? fmt::format("since it began, {}", span_text(std::llround(rates.seconds())))
                                      : fmt::format("of the last {:.1f} s", rates.seconds()));
  out += Line{"", "in", "out", "dropped", "/s", "each"}.text();
  const std::uint64_t dropped = flow.events_dropped + flow.events_unrouted + flow.letters_returned;
  out += Line{"all of it",
              grouped(flow.events_in),
              grouped(flow.events_out),
              dropped == 0 ? "" : grouped(dropped),
              rates.of(flow.events_in, &FlowStatus::events_in),
              ""}
             .text();
  add_plugins(flow, rates, out);
  if (flow.batches_waiting > 0)
    row(out, "Waiting", flow.batches_waiting == 1 ? "1 batch" : grouped(flow.batches_waiting) + " batches");
  if (flow.dead_letters + flow.dead_letter_bytes > 0)
    row(out, "Dead letters",
        fmt::format("{} since the start, {} kept; see enclave deadletters ls", grouped(flow.dead_letters),
                    format_bytes(flow.dead_letter_bytes)));
  if (flow.dead_letters_lost > 0)
    row(out, "Lost", fmt::format("{} dead letters that found no room", flow.dead_letters_lost));
  for (const auto& text : flow.troubles) row(out, "Trouble", report::printable(text));
  return out;
}

const FlowStatus* find_flow(const Looked* looked, std::size_t index, const std::string& id) {
  if (looked == nullptr || !looked->flows) return nullptr;
  const auto& all = looked->flows->flows;
  if (index < all.size() && all[index].id == id) return &all[index];
  const auto found = std::ranges::find(all, id, &FlowStatus::id);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

bool Looked::healthy() const {
  if (!running || (!log && !flows)) return false;
  if (log && (!log->status.troubles.empty() || log->status.reading_stopped)) return false;
  return !flows || std::ranges::all_of(flows->flows, [](const auto& flow) { return flow.troubles.empty(); });
}

std::string status_text(const Looked& looked, const Looked* before, std::int64_t now_ns) {
  std::string out;
  row(out, "State", looked.running ? "running" : "not running");
  const std::int64_t log_ns = looked.log ? looked.log->wall_ns : 0, flows_ns = looked.flows ? looked.flows->wall_ns : 0;
  row(out, "As of", age_text(std::max(log_ns, flows_ns), now_ns));
  if (looked.log) out += log_text(*looked.log, now_ns);
  if (!looked.flows) return out;
  const std::int64_t before_ns = before != nullptr && before->flows ? before->flows->wall_ns : 0;
  for (std::size_t i = 0; i < looked.flows->flows.size(); ++i) {
    const auto& flow = looked.flows->flows[i];
    out += flow_text(flow, Rates(flow, flows_ns, find_flow(before, i, flow.id), before_ns));
  }
  return out;
}

std::string status_json(const Looked& looked) {
  return JsonObject()
             .flag("running", looked.running)
             .flag("healthy", looked.healthy())
             .raw("status", looked.log_json)
             .raw("flows", looked.flows_json)
             .done() +
         "\n";
}

}  // namespace enclave::cli
