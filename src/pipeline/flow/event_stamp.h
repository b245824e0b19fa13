#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/line_form.h"

namespace enclave::pipeline {

/// Makes events of one source that differ in their line and its offset only, by copying one of them: what the source
/// and the configuration know of each is worked out once.
class EventStamp {
 public:
  /// `like` has the marks in place of line and offset. It is copied into `arena`, which outlives the events that are
  /// made. None when a mark stands in it as a part of something else.
  static std::optional<EventStamp> make(const event::Document& like, const LineMarks& marks, event::Arena& arena);

  /// The event of this reading.
  event::Document stamp(const event::Event& from, event::Arena& arena) const;

 private:
  enum class Gap : std::uint8_t { line, offset, container };
  /// What is another one in each event.
  struct Place {
    std::uint32_t at = 0;  ///< which member or item of its container
    Gap gap = Gap::line;
    std::uint32_t container = 0;  ///< the number in containers_
  };
  struct Container {
    event::Value like;
    std::vector<Place> places;
  };

  std::optional<std::uint32_t> add(const event::Value& container, const LineMarks& marks);
  bool add_value(const event::Value& value, std::uint32_t at, const LineMarks& marks, std::vector<Place>& places);
  event::Value copy(const Container& container, const event::Event& from, event::Arena& arena, std::size_t spare) const;
  event::Value fill(const Place& place, const event::Event& from, event::Arena& arena) const;

  std::vector<Container> containers_;  ///< those within another one before it
};

}  // namespace enclave::pipeline
