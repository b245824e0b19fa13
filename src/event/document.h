#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "event/value.h"

namespace enclave::event {

/// One step of a path into an event.
struct PathSegment {
  std::string name;
  std::int32_t index = 0;  ///< of an element, should the container turn out to be a list; negative from its end
  bool is_index = false;
  bool operator==(const PathSegment&) const = default;
};
using Path = std::span<const PathSegment>;

inline constexpr std::string_view kTimeField = "@timestamp", kVersionField = "@version", kTagsField = "tags",
                                  kMetadataField = "@metadata", kMessageField = "message";

/// An event as filters see it: fields, and below "@metadata" what no output writes. Lives in an Arena; a copy is the
/// same event. A path that begins with "@metadata" leads there.
class Document {
 public:
  /// An event without fields.
  explicit Document(Arena& arena) : arena_(&arena), root_(Value::map(arena, 16)) {}
  /// `root` is a map of that arena.
  Document(Arena& arena, Value root) : arena_(&arena), root_(root) {}

  Arena& arena() const { return *arena_; }
  const Value& root() const { return root_; }

  /// Null when there is nothing.
  Value* find(Path path) const;
  Value* find(std::string_view name) const;
  /// Maps on the way are made. Names and values are not copied: they live in the arena, or longer. False when something
  /// that is neither a map nor a list with that place stands in the way; nothing is changed then. "@timestamp" takes
  /// times only.
  bool set(Path path, Value value);
  void set(std::string_view name, Value value) { root_.set(*arena_, name, value); }
  bool erase(Path path);
  bool erase(std::string_view name) { return root_.erase(name); }

  /// Once each; a single text in "tags" becomes a list.
  void tag(std::string_view tag);
  bool has_tag(std::string_view tag) const;
  void untag(std::string_view tag);

  /// 0 when there is none.
  std::int64_t wall_ns() const;
  void set_wall_ns(std::int64_t wall_ns) { set(kTimeField, Value::time(wall_ns)); }

  /// A second event with the same fields.
  Document copy() const { return {*arena_, copy_value(root_, *arena_)}; }

  bool cancelled = false;     ///< dropped: no filter and no output sees it any more
  std::uint32_t reading = 0;  ///< which event of its batch it came from

 private:
  const Value* container(Path path, bool make) const;

  Arena* arena_;
  Value root_;
};

/// The event as JSON, without "@metadata".
void append_json(const Document& document, std::string& out);

}  // namespace enclave::event
