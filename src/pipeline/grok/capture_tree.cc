#include "pipeline/grok/capture_tree.h"

#include <algorithm>

namespace enclave::pipeline::grok {

using event::Kind;
using event::Value;

int CaptureTree::child(int parent, std::string_view name) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].parent == parent && nodes_[i].name == name) return static_cast<int>(i);
  return kNone;
}

int CaptureTree::add(event::Path path) {
  if (path.empty() || path.front().name == event::kTimeField) return kNone;
  // First whether it can be: a path that cannot leaves no nodes.
  int at = kNone;
  for (std::size_t i = 0; i < path.size(); ++i) {
    at = child(at, path[i].name);
    if (at == kNone) break;
    const bool last = i + 1 == path.size();
    if (last || nodes_[static_cast<std::size_t>(at)].place) return kNone;
  }
  at = kNone;
  for (const auto& segment : path) {
    int next = child(at, segment.name);
    if (next == kNone) {
      next = static_cast<int>(nodes_.size());
      nodes_.push_back({segment.name, at, 0, false, {}});
      if (at != kNone) ++nodes_[static_cast<std::size_t>(at)].children;
    }
    at = next;
  }
  nodes_[static_cast<std::size_t>(at)].place = true;
  return at;
}

bool CaptureTree::begin(const event::Document& event) {
  // Most names differ in size from all those that the event has.
  const auto bit = [](std::string_view name) { return std::uint64_t{1} << (name.size() % 64); };
  std::uint64_t sizes = 0;
  for (const auto& member : event.root().members()) sizes |= bit(member.name);
  for (Node& node : nodes_) {
    if (node.parent == kNone && (sizes & bit(node.name)) != 0 && event.find(node.name) != nullptr) return false;
    node.made = {};
  }
  return true;
}

const Value& CaptureTree::map_of(int number, const event::Document& event) {
  if (number == kNone) return event.root();
  Node& node = nodes_[static_cast<std::size_t>(number)];
  if (node.made.is(Kind::null)) {
    node.made = Value::map(event.arena(), node.children);
    map_of(node.parent, event).append_member(event.arena(), node.name, node.made);
  }
  return node.made;
}

void CaptureTree::put(int place, Value value, const event::Document& event) {
  const Node& node = nodes_[static_cast<std::size_t>(place)];
  map_of(node.parent, event).append_member(event.arena(), node.name, value);
}

}  // namespace enclave::pipeline::grok
