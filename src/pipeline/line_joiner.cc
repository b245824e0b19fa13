#include "pipeline/line_joiner.h"

#include <algorithm>
#include <limits>

namespace enclave::pipeline {
namespace {

constexpr std::size_t kSourcesMax = 4096;
constexpr std::size_t kHeldBytesMax = 64 << 20;

std::optional<Regex> compile(const std::string& pattern) {
  if (pattern.empty()) return std::nullopt;
  return std::move(Regex::compile(pattern).value());
}

}  // namespace

LineJoiner::LineJoiner(MultilineRule rule, World world, InputLog& log)
    : rule_(std::move(rule)),
      world_(world),
      log_(log),
      pattern_(compile(rule_.pattern)),
      flush_pattern_(compile(rule_.flush_pattern)) {}

Result<void> LineJoiner::check(const MultilineRule& rule) {
  if (rule.kind == MultilineRule::Kind::count) {
    if (rule.count_lines == 0)
      return Error{Fault::invalid, "so many lines are one event: a number from 1 on is wanted"};
  } else if (rule.pattern.empty()) {
    return Error{Fault::invalid, "a pattern is wanted that says which lines belong together"};
  }
  if (rule.lines_max == 0 || rule.bytes_max == 0)
    return Error{Fault::invalid, "an event must have room for a line at least"};
  for (const std::string* pattern : {&rule.pattern, &rule.flush_pattern}) {
    if (pattern->empty()) continue;
    if (auto compiled = Regex::compile(*pattern); !compiled) return Error{compiled.error()}.within(*pattern);
  }
  return {};
}

std::uint64_t LineJoiner::since_of(const Group& group) {
  if (group.lines == 0) return group.part.since;
  return group.part.count == 0 ? group.since : std::min(group.since, group.part.since);
}

bool LineJoiner::apply(event::Batch& batch) {
  ++applied_;
  now_ns_ = world_.clock.boot_ns();
  lines_.clear();
  lines_.swap(batch.events);
  for (auto& range : batch.sources) range.count = 0;
  std::vector<Group*> groups(batch.sources.size(), nullptr);
  for (const event::Event& line : lines_) {
    Group*& group = groups[line.source];
    if (group == nullptr) {
      group = &held_[batch.sources[line.source].source];
      held_bytes_ -= group->bytes_held();
    }
    take(batch, line, *group);
  }
  hold(batch, groups);
  keep_bounds(batch);
  return std::ranges::any_of(held_, [&](const auto& each) { return each.second.last_batch == applied_; });
}

bool LineJoiner::belongs(std::string_view line) const {
  return (pattern_->search(line) == Regex::Outcome::yes) != rule_.negate;
}

void LineJoiner::take(event::Batch& batch, const event::Event& line, Group& group) {
  const bool goes_on = rule_.parts && line.fields.ends_with(kGoesOn);
  if (!goes_on && group.part.count == 0) return take_line(batch, line, applied_, group);
  take_part(line, group);
  if (!goes_on) take_whole(batch, line.source, group);
}

void LineJoiner::take_part(const event::Event& line, Group& group) {
  Part& part = group.part;
  group.heard_ns = now_ns_;
  group.last_batch = applied_;
  if (part.count++ == 0) {
    part.first = line;
    part.fields.assign(line.fields);
    part.position.assign(line.position);
    part.since = applied_;
  }
  part.first.eol = line.eol;
  const std::string_view text = line.raw.substr(0, rule_.bytes_max - part.text.size());
  part.text += text;
  part.cut_bytes += line.cut_bytes + (line.raw.size() - text.size());
}

/// What was in parts is a line, even if its end never came.
void LineJoiner::take_whole(event::Batch& batch, std::uint32_t source, Group& group) {
  Part& part = group.part;
  event::Event line = part.first;
  line.raw = batch.store(part.text);
  line.fields = batch.store(part.fields);
  line.position = batch.store(part.position);
  line.cut_bytes = part.cut_bytes;
  line.source = source;
  const std::uint64_t since = part.since;
  part.text.clear();
  part.count = part.cut_bytes = 0;
  take_line(batch, line, since, group);
}

void LineJoiner::take_line(event::Batch& batch, const event::Event& line, std::uint64_t since, Group& group) {
  const std::uint32_t source = line.source;
  bool ends = false;
  if (rule_.kind == MultilineRule::Kind::count) {
    ends = group.lines + group.left_out + 1 >= rule_.count_lines;
  } else {
    const bool belongs_here = belongs(line.raw);
    if (rule_.kind == MultilineRule::Kind::while_pattern) {
      if (!belongs_here) give(batch, group, source);
      ends = !belongs_here;
    } else if (rule_.after) {
      if (!belongs_here) give(batch, group, source);
    } else {
      ends = !belongs_here;
    }
  }
  add(line, since, group);
  ends = ends || (flush_pattern_ && flush_pattern_->search(line.raw) == Regex::Outcome::yes);
  if (ends) give(batch, group, source);
}

void LineJoiner::add(const event::Event& line, std::uint64_t since, Group& group) {
  group.heard_ns = now_ns_;
  group.last_batch = applied_;
  group.cut_bytes += line.cut_bytes;
  if (group.lines == 0) {
    group.first = line;
    group.first_batch = applied_;
    group.since = since;
    group.open = line.raw.substr(0, rule_.bytes_max);
    group.bytes = group.open.size();
    group.cut_bytes += line.raw.size() - group.open.size();
    group.lines = 1;
    return;
  }
  group.first.eol = line.eol;
  const std::size_t between = rule_.skip_newline ? 0 : 1;
  if (group.lines >= rule_.lines_max || group.bytes + between > rule_.bytes_max) {
    ++group.left_out;
    group.cut_bytes += line.raw.size();
    return;
  }
  const std::string_view text = line.raw.substr(0, rule_.bytes_max - group.bytes - between);
  group.cut_bytes += line.raw.size() - text.size();
  add_text(line, text, group);
  group.bytes += between + text.size();
  ++group.lines;
}

void LineJoiner::add_text(const event::Event& line, std::string_view text, Group& group) const {
  // Mostly the lines stand one behind the other in the batch, with a line feed between them: nothing is copied.
  const char* const end = group.open.data() + group.open.size();
  if (group.text.empty() && !rule_.skip_newline && end != nullptr && line.raw.data() == end + 1 && *end == '\n') {
    group.open = {group.open.data(), group.open.size() + 1 + text.size()};
    return;
  }
  if (group.text.empty()) group.text.assign(group.open);
  group.open = {};
  if (!rule_.skip_newline) group.text += '\n';
  group.text += text;
}

void LineJoiner::give(event::Batch& batch, Group& group, std::uint32_t source) {
  if (group.lines == 0) return;
  event::Event& event = batch.events.emplace_back(group.first);
  event.raw = group.text.empty() ? group.open : batch.store(group.text);
  if (group.first_batch != applied_) {
    event.fields = batch.store(group.fields);
    event.position = batch.store(group.position);
  }
  event.cut_bytes = group.cut_bytes;
  event.source = source;
  ++batch.sources[source].count;
  if (group.left_out > 0) log_.count("multiline_lines_left_out", static_cast<std::int64_t>(group.left_out));
  group.text.clear();
  group.open = {};
  group.lines = group.left_out = group.cut_bytes = group.bytes = 0;
}

// The batch goes; what is not complete stays.
void LineJoiner::hold(const event::Batch& batch, std::vector<Group*>& groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] == nullptr) {
      const auto found = held_.find(batch.sources[i].source);
      if (found == held_.end()) continue;
      groups[i] = &found->second;
      held_bytes_ -= groups[i]->bytes_held();
    }
    Group& group = *groups[i];
    if (group.lines == 0 && group.part.count == 0) {
      held_.erase(batch.sources[i].source);
      groups[i] = nullptr;
      continue;
    }
    group.part.first.raw = group.part.first.fields = group.part.first.position = {};
    if (group.text.empty()) group.text.assign(group.open);
    group.open = {};
    if (group.lines > 0 && group.first_batch == applied_) {
      group.fields.assign(group.first.fields);
      group.position.assign(group.first.position);
      group.first.raw = group.first.fields = group.first.position = {};
    }
    group.to = batch.sources[i].to;
    group.state = batch.sources[i].state;
    held_bytes_ += group.bytes_held();
  }
}

void LineJoiner::give_held(event::Batch& batch, const std::string& source, Group& group) {
  held_bytes_ -= group.bytes_held();
  const std::uint32_t index = batch.source(source, group.to);
  auto& range = batch.sources[index];
  if (range.state.empty()) range.state = group.state;
  // What its batch was is past in any case: its texts are the group's own.
  group.first_batch = 0;
  if (group.part.count > 0) take_whole(batch, index, group);
  give(batch, group, index);
}

void LineJoiner::keep_bounds(event::Batch& batch) {
  while (held_.size() > kSourcesMax || (held_bytes_ > kHeldBytesMax && !held_.empty())) {
    const auto oldest = std::ranges::min_element(
        held_, {}, [](const auto& each) { return std::pair(since_of(each.second), each.second.heard_ns); });
    give_held(batch, oldest->first, oldest->second);
    held_.erase(oldest);
    log_.count("multiline_given_early", 1);
  }
}

void LineJoiner::flush(event::Batch& batch, bool all) {
  const std::int64_t now = world_.clock.boot_ns();
  const std::int64_t timeout = rule_.timeout.count();
  for (auto at = held_.begin(); at != held_.end();) {
    if (!all && (timeout <= 0 || now - at->second.heard_ns < timeout)) {
      ++at;
      continue;
    }
    give_held(batch, at->first, at->second);
    at = held_.erase(at);
  }
}

std::int64_t LineJoiner::next_boot_ns() const {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  const std::int64_t timeout = rule_.timeout.count();
  std::int64_t next = kNever;
  if (timeout <= 0) return next;
  for (const auto& [source, group] : held_) {
    const bool beyond = group.heard_ns > kNever - timeout;
    next = std::min(next, beyond ? kNever : group.heard_ns + timeout);
  }
  return next;
}

std::uint64_t LineJoiner::oldest_held() const {
  std::uint64_t oldest = 0;
  for (const auto& [source, group] : held_)
    if (const std::uint64_t since = since_of(group); oldest == 0 || since < oldest) oldest = since;
  return oldest;
}

}  // namespace enclave::pipeline
