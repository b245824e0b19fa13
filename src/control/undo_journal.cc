#include "control/undo_journal.h"

#include <simdjson.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"
#include "base/time.h"
#include "event/record.h"

namespace enclave::control {
namespace {

using event::json_text;

constexpr std::string_view kFormat = "enclave-undo/1";
constexpr std::string_view kEnding = ".ndjson";
constexpr std::uint64_t kMarksBytesMax = 16 << 20;

std::string run_path(const std::string& directory, std::uint64_t number, std::string_view ending) {
  return join_path(directory, fmt::format("{:020}{}", number, ending));
}

/// Numbers of the runs, newest first.
Result<std::vector<std::uint64_t>> runs_in(Files& files, const std::string& directory) {
  std::vector<std::uint64_t> runs;
  const auto entries = files.list(directory);
  if (!entries && entries.error().fault() == Fault::absent) return runs;
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    std::string_view name = entry.name;
    if (name.size() != 20 + kEnding.size() || !name.ends_with(kEnding)) continue;
    name = name.substr(0, 20);
    const std::size_t digits = std::min(name.find_first_not_of('0'), name.size() - 1);
    if (const auto number = parse_number(name.substr(digits)); number && *number > 0) runs.push_back(*number);
  }
  std::sort(runs.rbegin(), runs.rend());
  return runs;
}

class Line {
 public:
  static Result<Line> parse(simdjson::dom::parser& parser, std::string_view line, std::size_t number) {
    Line out(number);
    if (line.size() > kUndoLineBytesMax)
      return Error{Fault::limit, "line {} has {} bytes, at most {}", number, line.size(), kUndoLineBytesMax};
    if (parser.parse(line.data(), line.size()).get(out.root_) != simdjson::SUCCESS || !out.root_.is_object())
      return Error{Fault::corrupt, "line {} is not a JSON object", number};
    return out;
  }
  Result<std::string> text(std::string_view name) const {
    std::string_view found;
    if (root_[name].get_string().get(found) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "line {}: \"{}\" is not there, or no text", number_, name};
    return std::string(found);
  }
  Result<std::int64_t> time(std::string_view name) const {
    const auto found = parse_time(TRY(text(name)));
    if (!found) return Error{Fault::corrupt, "line {}: {}", number_, found.error().text()};
    return found;
  }

 private:
  explicit Line(std::size_t number) : number_(number) {}
  simdjson::dom::element root_;
  std::size_t number_;
};

Result<KeptChange> kept_of(const Line& line) {
  KeptChange kept;
  kept.wall_ns = TRY(line.time("time"));
  kept.control = TRY(line.text("control"));
  kept.subject.kind = TRY(line.text("kind"));
  kept.subject.name = TRY(line.text("subject"));
  kept.change.what = TRY(line.text("what"));
  kept.change.undo = TRY(line.text("undo"));
  return kept;
}

/// Adds what the line says; the first one is about the run.
Result<void> read_line(simdjson::dom::parser& parser, std::string_view text, std::size_t number, AppliedRun& run) {
  const auto line = TRY(Line::parse(parser, text, number));
  if (number > 1) {
    run.changes.push_back(TRY(kept_of(line)));
    return {};
  }
  if (TRY(line.text("format")) != kFormat)
    return Error{Fault::unsupported, "line 1: the format is not {}; a newer enclave may have written it", kFormat};
  run.target = TRY(line.text("target"));
  run.wall_ns = TRY(line.time("time"));
  return {};
}

/// A power cut leaves any part of what was not synced yet, with holes and other bytes in it; but nothing behind it.
bool any_readable(simdjson::dom::parser& parser, std::string_view text) {
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const auto line = Line::parse(parser, text.substr(0, end), 0);
    if (line && kept_of(*line)) return true;
  }
  return false;
}

Result<std::vector<std::uint64_t>> read_marks(Files& files, const std::string& path) {
  std::vector<std::uint64_t> marks;
  const auto text = read_file(files, path, kMarksBytesMax);
  if (!text && text.error().fault() == Fault::absent) return marks;
  if (!text) return text.error();
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto mark = parse_number(rest.substr(0, end));
    if (!mark)
      return Error{Fault::corrupt, "{}: \"{}\" is no number", path, rest.substr(0, std::min<std::size_t>(end, 64))};
    marks.push_back(*mark);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return marks;
}

Result<AppliedRun> read_run(Files& files, const std::string& directory, std::uint64_t number) {
  const std::string path = run_path(directory, number, kEnding);
  auto run = parse_applied(TRY(read_file(files, path, kUndoFileBytesMax)));
  if (!run) return std::move(run).error().within(path);
  run->number = number;
  for (const std::uint64_t mark : TRY(read_marks(files, run_path(directory, number, ".undone"))))
    if (mark < run->changes.size()) run->changes[mark].undone = true;
  return run;
}

}  // namespace

std::string undo_directory(const std::string& state_directory) { return join_path(state_directory, "control/applied"); }

bool AppliedRun::all_undone() const {
  return std::all_of(changes.begin(), changes.end(), [](const KeptChange& kept) { return kept.undone; });
}

Result<void> UndoJournal::begin() {
  TRY(make_directories(world_.files, directory_));
  const auto runs = TRY(runs_in(world_.files, directory_));
  const std::uint64_t number = runs.empty() ? 1 : runs.front() + 1;
  file_ = TRY(world_.files.create(run_path(directory_, number, kEnding), Create::exclusive));
  TRY(world_.files.sync_directory(directory_));
  number_ = number;
  return append(fmt::format(R"({{"format":{},"time":{},"target":{}}})", json_text(kFormat),
                            json_text(format_time(world_.clock.wall_ns())), json_text(target_)));
}

Result<void> UndoJournal::append(std::string line) {
  line += '\n';
  if (line.size() > kUndoLineBytesMax || bytes_ + line.size() > kUndoFileBytesMax)
    return Error{Fault::limit, "what is to be kept has {} bytes; {} a change and {} a run are allowed", line.size(),
                 kUndoLineBytesMax, kUndoFileBytesMax};
  auto written = file_->write_at(bytes_, line);
  if (written) written = file_->sync();
  if (!written) {
    // Half a line in the middle would make the lines behind it unreadable.
    auto taken_back = file_->truncate(bytes_);
    if (taken_back) taken_back = file_->sync();
    broken_ = !taken_back;
    return written;
  }
  bytes_ += line.size();
  return {};
}

Result<void> UndoJournal::keep(const Control& control, const Subject& subject, const Change& change) {
  // A JSON text holds no other bytes, and half of what was there is no way back.
  if (!is_utf8(change.undo) || !is_utf8(subject.name))
    return Error{Fault::unsupported, "what is replaced is not UTF-8 and could not be kept: {}", change.what};
  if (broken_) return Error{Fault::busy, "the undo journal in {} could not be written before", directory_};
  if (bytes_ == 0) {
    auto begun = file_ == nullptr ? begin() : Result<void>(Error{Fault::busy, "the undo journal could not be begun"});
    if (!begun) return std::move(begun).error().within("keeping what is replaced");
  }
  auto kept =
      append(fmt::format(R"({{"time":{},"control":{},"kind":{},"subject":{},"what":{},"undo":{}}})",
                         json_text(format_time(world_.clock.wall_ns())), json_text(control.id), json_text(subject.kind),
                         json_text(subject.name), json_text(change.what), json_text(change.undo)));
  if (!kept) return std::move(kept).error().within("keeping what is replaced");
  return {};
}

Result<AppliedRun> parse_applied(std::string_view text) {
  if (text.size() > kUndoFileBytesMax)
    return Error{Fault::limit, "{} bytes, at most {}", text.size(), kUndoFileBytesMax};
  AppliedRun run;
  simdjson::dom::parser parser;
  std::size_t number = 0;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    auto line = read_line(parser, text.substr(0, end), ++number, run);
    if (line) continue;
    const bool torn = line.error().fault() == Fault::corrupt && !any_readable(parser, text.substr(end + 1));
    if (!torn) return std::move(line).error();
    break;
  }
  return run;
}

Result<std::optional<AppliedRun>> newest_to_undo(Files& files, const std::string& directory) {
  for (const std::uint64_t number : TRY(runs_in(files, directory))) {
    auto run = TRY(read_run(files, directory, number));
    if (!run.all_undone()) return std::optional(std::move(run));
  }
  return std::optional<AppliedRun>();
}

Result<void> mark_undone(Files& files, const std::string& directory, std::uint64_t number, std::size_t index) {
  const std::string path = run_path(directory, number, ".undone");
  auto marks = TRY(read_marks(files, path));
  if (std::find(marks.begin(), marks.end(), index) != marks.end()) return {};
  marks.push_back(index);
  std::string text;
  for (const std::uint64_t mark : marks) text += fmt::format("{}\n", mark);
  return replace_file(files, path, text);
}

}  // namespace enclave::control
