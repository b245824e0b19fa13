#include <algorithm>

#include "pipeline/filebeat/reader.h"

namespace enclave::pipeline::filebeat {
namespace {

void merge(Node& map, std::string_view key, const Place& place, Node value, const std::string& full,
           Diagnostics& diagnostics) {
  const std::size_t dot = key.find('.');
  // "a." and ".a" have an empty name in them: they stay as they are, and no table knows them.
  const bool whole = dot == std::string_view::npos || dot == 0 || dot + 1 == key.size();
  const std::string_view head = whole ? key : key.substr(0, dot);
  auto found = std::find_if(map.members.begin(), map.members.end(), [&](const auto& one) { return one.key == head; });
  if (found == map.members.end()) {
    Node::Member added{std::string(head), place, {}};
    added.value.place = place;
    found = map.members.insert(map.members.end(), std::move(added));
    if (whole) {
      found->value = std::move(value);
      return;
    }
  } else if (whole && found->value.kind == Node::Kind::map && value.kind == Node::Kind::map) {
    for (auto& member : value.members)
      merge(found->value, member.key, member.place, std::move(member.value), full + "." + member.key, diagnostics);
    return;
  } else if (whole && value.kind == Node::Kind::null) {
    return;
  } else if (found->value.kind == Node::Kind::null && whole) {
    found->value = std::move(value);
    return;
  } else if (whole || (found->value.kind != Node::Kind::map && found->value.kind != Node::Kind::null)) {
    diagnostics.error(place, fmt::format("{} stands here a second time (first on line {}); one of the two must go",
                                         full, found->place.line));
    return;
  }
  found->value.kind = Node::Kind::map;
  merge(found->value, key.substr(dot + 1), place, std::move(value), full, diagnostics);
}

Node nested_at(const Node& node, const std::string& prefix, Diagnostics& diagnostics) {
  Node out;
  out.kind = node.kind;
  out.place = node.place;
  out.scalar = node.scalar;
  for (const auto& item : node.items) out.items.push_back(nested_at(item, "", diagnostics));
  for (const auto& member : node.members) {
    const std::string full = prefix.empty() ? member.key : prefix + "." + member.key;
    merge(out, member.key, member.place, nested_at(member.value, full, diagnostics), full, diagnostics);
  }
  return out;
}

}  // namespace

Node nested(const Node& node, Diagnostics& diagnostics) { return nested_at(node, "", diagnostics); }

const Node* find_path(const Node& node, std::string_view path) {
  const Node* at = &node;
  while (at != nullptr && !path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    at = at->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

Place place_of(const Node& node, std::string_view path) {
  const Node* at = &node;
  Place place = node.place;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view key = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    const auto found =
        std::find_if(at->members.begin(), at->members.end(), [&](const auto& one) { return one.key == key; });
    if (found == at->members.end()) break;
    place = found->place;
    at = &found->value;
  }
  return place;
}

}  // namespace enclave::pipeline::filebeat
