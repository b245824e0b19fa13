#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/input.h"
#include "pipeline/multiline.h"

namespace enclave::pipeline {

/// Puts the lines of each source together into events, by a rule. What is incomplete at the end of a batch is held and
/// given out with a later one. Wherever the lines are cut into batches, the events are the same.
///
/// An event's raw is its lines with LF between them (unless the rule has none), its offset, position and fields are
/// those of its first line. Bounds: 4,096 sources and 64 MiB of held lines; beyond them the event that waits longest is
/// given out as it is. One thread at a time.
class LineJoiner {
 public:
  /// The rule has been checked.
  LineJoiner(MultilineRule rule, World world, InputLog& log);

  /// Fault::invalid with what is wrong.
  static Result<void> check(const MultilineRule& rule);

  /// Joins the events of `batch` in place, with lines held before; true when lines of it are held back.
  bool apply(event::Batch& batch);
  /// Appends events that waited for more lines too long, or all of them, to `batch`.
  void flush(event::Batch& batch, bool all);

  bool holding() const { return !held_.empty(); }
  /// Boot time at which flush() has something to give; the largest number when there is none.
  std::int64_t next_boot_ns() const;
  /// The number, counted by calls of apply() from 1, of the oldest batch of which a line is held; 0: none. A batch may
  /// be acknowledged when this is 0 or larger than its own.
  std::uint64_t oldest_held() const;

  /// Whether it is of several lines: what gets MultilineRule::tag.
  static bool is_joined(const event::Event& event) { return event.raw.find('\n') != std::string_view::npos; }

 private:
  /// A line of which the rest is still to come.
  struct Part {
    event::Event first;
    std::string text, fields, position;  ///< the latter two of the first part
    std::uint64_t count = 0;
    std::uint64_t cut_bytes = 0;
    std::uint64_t since = 0;  ///< number of the batch of the first
  };
  struct Group {
    event::Event first;     ///< its views point into the batch at hand, or into the texts below
    std::string_view open;  ///< all lines, as they stand in the batch at hand; else they are in `text`
    std::string text;
    std::string fields, position;  ///< of the first line, once it is held
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t cut_bytes = 0;
    std::uint64_t left_out = 0;  ///< lines
    std::uint64_t first_batch = 0, last_batch = 0;
    std::uint64_t since = 0;  ///< number of the batch that has its front
    std::int64_t heard_ns = 0;
    std::string to, state;  ///< of the source, as of its latest batch
    Part part;              ///< stands behind the lines
    std::size_t bytes_held() const { return text.size() + part.text.size(); }
  };

  void take(event::Batch& batch, const event::Event& line, Group& group);
  void take_line(event::Batch& batch, const event::Event& line, std::uint64_t since, Group& group);
  void take_part(const event::Event& line, Group& group);
  void take_whole(event::Batch& batch, std::uint32_t source, Group& group);
  static std::uint64_t since_of(const Group& group);
  bool belongs(std::string_view line) const;
  void add(const event::Event& line, std::uint64_t since, Group& group);
  void add_text(const event::Event& line, std::string_view text, Group& group) const;
  void give(event::Batch& batch, Group& group, std::uint32_t source);
  void give_held(event::Batch& batch, const std::string& source, Group& group);
  void hold(const event::Batch& batch, std::vector<Group*>& groups);
  void keep_bounds(event::Batch& batch);

  const MultilineRule rule_;
  World world_;
  InputLog& log_;
  std::optional<Regex> pattern_, flush_pattern_;
  std::map<std::string, Group, std::less<>> held_;
  std::vector<event::Event> lines_;  ///< of the batch at hand
  std::size_t held_bytes_ = 0;
  std::uint64_t applied_ = 0;
  std::int64_t now_ns_ = 0;
};

}  // namespace enclave::pipeline
