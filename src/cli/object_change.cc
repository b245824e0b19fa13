#include "cli/object_actions.h"
#include "cli/printable.h"

namespace enclave::cli {
namespace {

constexpr std::size_t kBatch = 1000;

/// A key that was typed wrong would get a delete marker and a "done".
Result<void> must_exist(cloud::ObjectBucket& bucket, const std::string& key, const std::string& version,
                        cloud::S3Told& told) {
  TRY(bucket.head(key, version, told));
  return {};
}

void answer_for(ObjectSession& session, ObjectEvent event, std::optional<Error> failure, bool for_good) {
  Answer answer;
  answer.text = fmt::format("{}/{}  {}", event.bucket, printable(event.key),
                            for_good ? fmt::format("version {} is gone for good", event.version) : "removed");
  event.failure = std::move(failure);
  answer.event = std::move(event);
  session.answer(std::move(answer));
}

void remove_batch(ObjectSession& session, cloud::ObjectBucket& bucket, const std::string& name,
                  const std::vector<cloud::KeyVersion>& batch) {
  if (batch.empty() || session.is_stopped()) return;
  const auto events = [&](const cloud::KeyVersion& one) {
    ObjectEvent event = session.begin("remove", name, one.key);
    event.version = one.version;
    return event;
  };
  const bool for_good = !batch[0].version.empty();
  const ObjectEvent begun = session.begin("remove", name, "");
  const auto answer = [&](const cloud::KeyVersion& one, std::optional<Error> failure, std::string code) {
    ObjectEvent event = events(one);
    event.begun_wall_ns = begun.begun_wall_ns;
    event.begun_boot_ns = begun.begun_boot_ns;
    event.told.code = std::move(code);
    answer_for(session, std::move(event), std::move(failure), for_good);
  };
  const auto removed = bucket.remove(batch);
  if (!removed) {
    for (const auto& one : batch) answer(one, removed.error(), "");
    return;
  }
  for (const auto& one : removed->done) answer(one, std::nullopt, "");
  for (const auto& failed : removed->failed) {
    const Fault fault = failed.code == "AccessDenied" ? Fault::denied : Fault::conflict;
    answer(failed.which,
           Error{fault, "{}: \"{}\" is not removed: {} ({})", bucket.name(), failed.which.key, failed.code,
                 failed.message},
           failed.code);
  }
}

}  // namespace

Result<int> object_remove(ObjectSession& session) {
  const Arguments& arguments = session.arguments();
  const auto operands = session.operands();
  const std::string version = arguments.value("version");
  bool wide = arguments.has("recursive");
  for (const auto& operand : operands) wide = wide || is_pattern(operand);
  if (!version.empty() && (operands.size() > 1 || wide))
    return Error{Fault::invalid, "--version is for one object, named without a pattern"};
  const auto found = TRY(find_objects(session, operands, arguments.has("recursive"), true));
  if (wide && !arguments.has("yes"))
    return Error{Fault::invalid,  "--yes is missing: this would remove {} object{}, of which the first is {}/{}",
                 found.size(),    found.size() == 1 ? "" : "s",
                 found[0].bucket, printable(found[0].info.key)};
  std::map<std::string, std::vector<cloud::KeyVersion>> batches;
  for (const auto& one : found) {
    auto& bucket = *TRY(session.bucket(one.bucket, true));
    if (!one.listed) {
      ObjectEvent event = session.begin("remove", one.bucket, one.info.key);
      event.version = version;
      if (auto there = must_exist(bucket, one.info.key, version, event.told); !there && version.empty()) {
        answer_for(session, std::move(event), there.error(), false);
        continue;
      }
    }
    auto& batch = batches[one.bucket];
    batch.push_back({one.info.key, version});
    if (batch.size() < kBatch) continue;
    remove_batch(session, bucket, one.bucket, batch);
    batch.clear();
  }
  for (const auto& [name, batch] : batches) remove_batch(session, *TRY(session.bucket(name, true)), name, batch);
  return session.finish();
}

Result<int> object_restore(ObjectSession& session) {
  const ObjectPlace place = TRY(place_of(session.config(), session.operands()[0]));
  TRY(session.check_writable(place.bucket));
  if (place.key.empty()) return Error{Fault::invalid, "name the object to restore, not only its bucket"};
  auto& bucket = *TRY(session.bucket(place.bucket, true));
  std::string version = session.arguments().value("version");
  ObjectEvent event = session.begin("restore", place.bucket, place.key);
  const auto restore = [&]() -> Result<std::string> {
    if (version.empty()) {
      TRY(bucket.list({place.key, true}, [&](const cloud::ObjectInfo& info) -> Result<void> {
        if (info.key == place.key && !info.latest && !info.delete_marker && version.empty()) version = info.version;
        return {};
      }));
      if (version.empty())
        return Error{Fault::absent, "{}: there is no older version of \"{}\"", bucket.name(), place.key};
    }
    const cloud::ObjectHead head = TRY(bucket.head(place.key, version, event.told));
    event.stored_bytes = head.info.bytes;
    event.version = TRY(bucket.restore(place.key, version));
    return fmt::format("{}/{}  is again what it was in version {}", place.bucket, printable(place.key), version);
  };
  const auto restored = restore();
  if (!restored) event.version = version;
  return session.answer_one(std::move(event), restored);
}

}  // namespace enclave::cli
