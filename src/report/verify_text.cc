#include <array>
#include <map>

#include "base/time.h"
#include "report/layout.h"
#include "report/verify_report.h"

namespace enclave::report {
namespace {

using archive::Finding;
using archive::LogReport;
using archive::Verdict;
using archive::VerifyReport;
using archive::Weight;

constexpr std::size_t kNotesShown = 5;  // per verdict; more of them are counted
constexpr std::size_t kViolationsShown = 100;
constexpr std::size_t kSourcesShown = 4;

/// Keys and texts are foreign: their line ends must not look like lines of ours.
void add(std::string& out, std::string_view text, std::string_view indent) {
  out += wrapped(printable(text), indent, indent);
}

std::string seconds(std::int64_t time_ns) { return format_time(time_ns).substr(0, 19) + "Z"; }

std::string span_text(std::int64_t first_ns, std::int64_t last_ns) {
  if (first_ns == 0 && last_ns == 0) return "";
  if (first_ns == 0) return "before " + seconds(last_ns);
  if (last_ns == 0) return "after " + seconds(first_ns);
  const std::string first = seconds(first_ns), last = seconds(last_ns);
  return first == last ? first : first + " to " + last;
}

/// What to do about a verdict; the finding's own text says what is wrong.
std::string_view advice(Verdict verdict, Weight weight) {
  if (weight == Weight::note) return "";
  switch (verdict) {
    case Verdict::modified:
      return "Keep this copy as evidence. Get the original from another version or copy, and verify again.";
    case Verdict::missing:
      return weight == Weight::violated ? "Look for it in older versions, in a backup, or on the host's outbox." : "";
    case Verdict::truncated:
      return weight == Weight::violated ? "Get the newer state from a backup or an older version of the bucket." : "";
    case Verdict::forked:
      return "One of two histories is false. Keep both; the host's own state directory tells which one it wrote.";
    case Verdict::gap:
      return "Events of this range cannot be shown. Ask what happened on the host at that time.";
    case Verdict::stale:
      return "See whether the host runs and reaches its bucket.";
    default:
      return "";
  }
}

std::string_view word_of(Weight weight) {
  constexpr std::array<std::string_view, 4> kWords = {"good", "note", "inconclusive", "VIOLATED"};
  return kWords[static_cast<std::size_t>(weight)];
}

void add_finding(std::string& out, const Finding& finding) {
  out += "\n";
  add(out,
      fmt::format("{} ({})  {}", name_of(finding.verdict), word_of(finding.weight),
                  finding.key.empty() ? "the log" : finding.key),
      "  ");
  std::string where;
  const auto more = [&](std::string text) {
    if (!text.empty()) where += (where.empty() ? "" : ", ") + text;
  };
  if (finding.index) more(fmt::format("leaf {}", *finding.index));
  if (finding.seq) more(fmt::format("records {} to {}", finding.seq->first, finding.seq->second));
  more(span_text(finding.time_first_ns, finding.time_last_ns));
  add(out, where, "    ");
  std::string sources;
  for (std::size_t i = 0; i < finding.sources.size() && i < kSourcesShown; ++i)
    sources += (i == 0 ? "" : ", ") + finding.sources[i];
  if (finding.sources.size() > kSourcesShown)
    sources += fmt::format(" and {} more", finding.sources.size() - kSourcesShown);
  if (!sources.empty()) add(out, "of " + sources, "    ");
  add(out, finding.text, "    ");
  add(out, advice(finding.verdict, finding.weight), "    ");
}

void add_findings(std::string& out, const std::vector<Finding>& findings) {
  std::map<std::pair<Weight, Verdict>, std::uint64_t> shown;
  for (const Finding& finding : findings) {
    const std::uint64_t count = ++shown[{finding.weight, finding.verdict}];
    if (count <= (finding.weight == Weight::violated ? kViolationsShown : kNotesShown)) add_finding(out, finding);
  }
  for (const auto& [kind, count] : shown) {
    const std::size_t most = kind.first == Weight::violated ? kViolationsShown : kNotesShown;
    if (count <= most) continue;
    out += "\n";
    add(out,
        fmt::format("{} ({})  {} more; --json lists them.", name_of(kind.second), word_of(kind.first),
                    grouped(count - most)),
        "  ");
  }
}

void add_log(std::string& out, const LogReport& log) {
  out += "\n";
  add(out, "Log " + log.origin, "");
  out += fmt::format("  leaves   {}{}\n", grouped(log.size),
                     log.checkpoint.empty() ? ", under no checkpoint that could be verified" : " under the checkpoint");
  out += fmt::format("  records  {}{}\n", grouped(log.records),
                     log.records_read == 0 ? ""
                     : log.records_read == log.records
                         ? ", all of them decrypted and read"
                         : fmt::format(", {} of them decrypted and read", grouped(log.records_read)));
  if (const std::string span = span_text(log.time_first_ns, log.time_last_ns); !span.empty())
    out += fmt::format("  time     {}\n", span);
  out += fmt::format("  objects  {} of {} whole, {}\n", grouped(log.objects_ok), grouped(log.objects),
                     format_bytes(log.object_bytes));
  add_findings(out, log.findings);
}

std::string headline(const VerifyReport& report) {
  std::uint64_t violations = 0, unclear = 0, objects = 0, objects_ok = 0;
  const auto count = [&](const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      violations += finding.weight == Weight::violated ? 1 : 0;
      unclear += finding.weight == Weight::inconclusive ? 1 : 0;
    }
  };
  count(report.findings);
  for (const LogReport& log : report.logs) {
    count(log.findings);
    objects += log.objects;
    objects_ok += log.objects_ok;
  }
  switch (report.weight()) {
    case Weight::violated:
      return fmt::format("VIOLATED: {} in {}; {} of {} objects whole.", counted(violations, "violation"), report.source,
                         grouped(objects_ok), grouped(objects));
    case Weight::inconclusive:
      return fmt::format("INCONCLUSIVE: {} in {} could not be decided; nothing was found changed.",
                         counted(unclear, "point"), report.source);
    default:
      return fmt::format("GOOD: nothing was changed, removed or added in {}; {} whole.", report.source,
                         counted(objects_ok, "object"));
  }
}

}  // namespace

std::string verify_text(const VerifyReport& report) {
  std::string out;
  add(out, headline(report), "");
  for (const LogReport& log : report.logs) add_log(out, log);
  if (!report.findings.empty()) {
    out += "\nOutside any log\n";
    add_findings(out, report.findings);
  }
  if (report.findings_left_out > 0)
    out +=
        fmt::format("\n{} findings are left out; those that weigh most are kept.\n", grouped(report.findings_left_out));
  return out;
}

}  // namespace enclave::report
