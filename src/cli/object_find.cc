#include "cli/object_actions.h"
#include "cli/printable.h"
#include "pipeline/glob.h"

namespace enclave::cli {

Result<std::vector<FoundObject>> find_objects(ObjectSession& session, const std::vector<std::string>& operands,
                                              bool recursive, bool writing) {
  std::vector<FoundObject> found;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& operand : operands) {
    const ObjectPlace place = TRY(place_of(session.config(), operand));
    if (writing) TRY(session.check_writable(place.bucket));
    auto* bucket = TRY(session.bucket(place.bucket, writing));
    const bool pattern = is_pattern(place.key);
    if (!pattern && !recursive) {
      if (place.key.empty())
        return Error{Fault::invalid, "{} is a whole bucket; --recursive means all of its objects", operand};
      if (place.key.ends_with('/'))
        return Error{Fault::invalid, "{} is a prefix; --recursive means all objects below it", operand};
      if (!seen.emplace(place.bucket, place.key).second) continue;
      FoundObject one{place.bucket, {}, place.key, false};
      one.info.key = place.key;
      found.push_back(std::move(one));
      continue;
    }
    const auto glob = pattern ? TRY(pipeline::Glob::parse(place.key)) : pipeline::Glob();
    const std::size_t before = found.size();
    // "photos" means what lies below photos/, and not photos2.
    std::string prefix = pattern ? literal_prefix(place.key) : place.key;
    if (!pattern && !prefix.empty() && !prefix.ends_with('/')) prefix += '/';
    TRY(bucket->list({.prefix = prefix}, [&](const cloud::ObjectInfo& info) -> Result<void> {
      const bool fits =
          !pattern || glob.matches(info.key) || (recursive && glob.matches(info.key.substr(0, info.key.rfind('/'))));
      if (fits && seen.emplace(place.bucket, info.key).second)
        found.push_back({place.bucket, info, pattern ? place.key : prefix, true});
      return {};
    }));
    if (found.size() == before)
      return Error{Fault::absent, "{}: there is no object {} {}", bucket->name(), pattern ? "that fits" : "below",
                   printable(place.key.empty() ? "/" : place.key)};
  }
  return found;
}

}  // namespace enclave::cli
