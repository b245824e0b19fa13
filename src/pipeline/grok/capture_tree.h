#pragma once

#include <span>
#include <string>
#include <vector>

#include "event/document.h"

namespace enclave::pipeline::grok {

/// The fields that a pattern's captures go to, as the tree they form. While an event has none of the tree's topmost
/// fields, each capture is the first one of its place: it is put there without looking for what might be there.
/// The event keeps views of the names: the tree must outlive it.
class CaptureTree {
 public:
  static constexpr int kNone = -1;

  /// The number of the place that `path` leads to; kNone for what may have to be looked for all the same: a path that
  /// is there already, that leads into or over another one, or through what the event itself guards.
  int add(event::Path path);

  /// To be called before the captures of each match. False when the event has one of the topmost fields: nothing may be
  /// put then.
  bool begin(const event::Document& event);
  /// At most once a place after begin().
  void put(int place, event::Value value, const event::Document& event);

 private:
  struct Node {
    std::string name;
    int parent = kNone;
    std::uint32_t children = 0;
    bool place = false;
    event::Value made;  ///< the map of the present event, once it is there
  };

  int child(int parent, std::string_view name) const;
  const event::Value& map_of(int node, const event::Document& event);

  std::vector<Node> nodes_;
};

}  // namespace enclave::pipeline::grok
