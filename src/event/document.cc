#include "event/document.h"

#include <algorithm>

namespace enclave::event {
namespace {

Value* item_at(const Value& list, std::int32_t index) {
  const auto items = list.items();
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t at = index < 0 ? size + index : index;
  return at < 0 || at >= size ? nullptr : &items[static_cast<std::size_t>(at)];
}

Value* step(const Value& from, const PathSegment& segment) {
  if (from.is(Kind::map)) return from.find(segment.name);
  if (from.is(Kind::list) && segment.is_index) return item_at(from, segment.index);
  return nullptr;
}

}  // namespace

/// What holds the last segment; null when there is no such thing, or it cannot be made.
const Value* Document::container(Path path, bool make) const {
  // The first value in the way decides before anything is made: a failed set() changes nothing.
  const Value* at = &root_;
  for (const PathSegment& segment : path.first(path.size() - 1)) {
    const Value* next = step(*at, segment);
    if (next == nullptr) {
      if (!make || !at->is(Kind::map)) return nullptr;
      at->set(*arena_, arena_->store(segment.name), Value::map(*arena_));
      next = at->find(segment.name);
    }
    at = next;
  }
  return at->is(Kind::map) || at->is(Kind::list) ? at : nullptr;
}

Value* Document::find(Path path) const {
  const Value* const in = container(path, false);
  return in == nullptr ? nullptr : step(*in, path.back());
}

Value* Document::find(std::string_view name) const { return root_.find(name); }

bool Document::set(Path path, Value value) {
  if (path.size() == 1 && path[0].name == kTimeField && !value.is(Kind::time)) return false;
  const Value* const in = container(path, true);
  if (in == nullptr) return false;
  const PathSegment& last = path.back();
  if (in->is(Kind::map)) {
    // The path may be gone before the event.
    if (Value* const known = in->find(last.name)) {
      *known = value;
    } else {
      in->set(*arena_, arena_->store(last.name), value);
    }
    return true;
  }
  if (!last.is_index) return false;
  if (Value* const known = item_at(*in, last.index)) {
    *known = value;
    return true;
  }
  if (last.index != static_cast<std::int64_t>(in->items().size())) return false;
  in->append(*arena_, value);
  return true;
}

bool Document::erase(Path path) {
  const Value* const in = container(path, false);
  if (in == nullptr) return false;
  const PathSegment& last = path.back();
  if (in->is(Kind::map)) return in->erase(last.name);
  Value* const item = last.is_index ? item_at(*in, last.index) : nullptr;
  if (item == nullptr) return false;
  in->erase_item(static_cast<std::size_t>(item - in->items().data()));
  return true;
}

bool Document::has_tag(std::string_view tag) const {
  const Value* const tags = find(kTagsField);
  if (tags == nullptr) return false;
  const auto is_it = [&](const Value& item) { return item.is(Kind::text) && item.text() == tag; };
  return tags->is(Kind::list) ? std::ranges::any_of(tags->items(), is_it) : is_it(*tags);
}

void Document::tag(std::string_view tag) {
  if (has_tag(tag)) return;
  Value* tags = find(kTagsField);
  const Value text = Value::of(arena_->store(tag));
  if (tags == nullptr || tags->is(Kind::null)) {
    set(kTagsField, Value::list(*arena_));
  } else if (!tags->is(Kind::list)) {
    const Value list = Value::list(*arena_);
    list.append(*arena_, *tags);
    *tags = list;
  }
  find(kTagsField)->append(*arena_, text);
}

void Document::untag(std::string_view tag) {
  Value* const tags = find(kTagsField);
  if (tags == nullptr) return;
  if (tags->is(Kind::text) && tags->text() == tag) *tags = Value::list(*arena_, 0);
  if (!tags->is(Kind::list)) return;
  for (std::size_t i = tags->items().size(); i-- > 0;)
    if (tags->items()[i].is(Kind::text) && tags->items()[i].text() == tag) tags->erase_item(i);
}

std::int64_t Document::wall_ns() const {
  const Value* const time = find(kTimeField);
  return time != nullptr && time->is(Kind::time) ? time->wall_ns() : 0;
}

}  // namespace enclave::event
