#include "cli/json.h"
#include "cli/object_actions.h"
#include "cli/printable.h"
#include "cloud/parallel.h"
#include "pipeline/glob.h"

namespace enclave::cli {
namespace {

// Sizes of plain texts are asked for by so many objects at a time.
constexpr std::size_t kPage = 1000;

struct Row {
  cloud::ObjectInfo info;
  std::optional<std::uint64_t> plain_bytes;
  bool encrypted = false;
  bool folder = false;
};

/// Prints rows in pages, after their plain sizes were asked for.
class Printer {
 public:
  Printer(ObjectSession& session, cloud::ObjectBucket& bucket, std::string name, unsigned parallel)
      : session_(session),
        bucket_(bucket),
        name_(std::move(name)),
        parallel_(parallel),
        stored_(session.arguments().has("stored")),
        versions_(session.arguments().has("versions")) {}

  Result<void> add(Row row) {
    rows_.push_back(std::move(row));
    return rows_.size() < kPage ? Result<void>() : flush();
  }

  Result<void> flush() {
    if (!stored_)
      TRY(cloud::in_parallel(parallel_, rows_.size(), [&](unsigned, std::uint64_t i) { return measure(rows_[i]); }));
    for (const auto& row : rows_) print(row);
    rows_.clear();
    return session_.is_stopped() ? Result<void>(Error{Fault::busy, "interrupted"}) : Result<void>();
  }
  std::uint64_t objects() const { return objects_; }

 private:
  // What has gone meanwhile, or may not be read, is shown with what the list says.
  Result<void> measure(Row& row) {
    if (row.folder || row.info.delete_marker || session_.is_stopped()) return {};
    cloud::S3Told told;
    const auto found = cloud::measure_object(bucket_, row.info.key, versions_ ? row.info.version : "", told);
    if (!found) return found.error().fault() == Fault::busy ? Result<void>(found.error()) : Result<void>();
    row.encrypted = found->encrypted;
    row.plain_bytes = found->plain_bytes;
    return {};
  }

  void print(const Row& row) {
    auto& out = session_.shell().out;
    if (!row.folder) ++objects_;
    if (session_.json()) {
      out << json_of(row) << "\n";
      return;
    }
    const std::string size =
        row.folder || row.info.delete_marker ? "-" : format_bytes(row.plain_bytes.value_or(row.info.bytes));
    out << fmt::format("{:<16}  {:>10}  {}", row.folder ? "" : short_time(row.info.modified_ns), size,
                       printable(row.info.key));
    if (versions_ && !row.folder)
      out << fmt::format("  {}{}", row.info.version.empty() ? "-" : row.info.version,
                         row.info.delete_marker ? "  deleted"
                         : row.info.latest      ? "  latest"
                                                : "");
    out << "\n";
  }

  std::string json_of(const Row& row) const {
    JsonObject json;
    json.text("bucket", name_).text(row.folder ? "prefix" : "key", row.info.key);
    if (row.folder) return json.done();
    if (!row.info.version.empty()) json.text("version", row.info.version);
    if (versions_) json.flag("latest", row.info.latest).flag("deleted", row.info.delete_marker);
    if (!row.info.delete_marker) {
      json.number("stored_bytes", static_cast<std::int64_t>(row.info.bytes));
      if (row.plain_bytes) json.number("bytes", static_cast<std::int64_t>(*row.plain_bytes));
      if (!stored_) json.flag("encrypted", row.encrypted);
      json.text("etag", row.info.etag);
    }
    return json.text("modified", format_time(row.info.modified_ns)).done();
  }

  ObjectSession& session_;
  cloud::ObjectBucket& bucket_;
  const std::string name_;
  const unsigned parallel_;
  const bool stored_, versions_;
  std::vector<Row> rows_;
  std::uint64_t objects_ = 0;
};

Result<void> list(ObjectSession& session, cloud::ObjectBucket& bucket, const ObjectPlace& place, Printer& printer) {
  const bool pattern = is_pattern(place.key);
  const bool recursive = session.arguments().has("recursive") || pattern;
  const auto glob = pattern ? TRY(pipeline::Glob::parse(place.key)) : pipeline::Glob();
  const std::string prefix = pattern ? literal_prefix(place.key) : place.key;
  std::string folder;
  TRY(bucket.list({prefix, session.arguments().has("versions")}, [&](const cloud::ObjectInfo& info) -> Result<void> {
    if (pattern && !glob.matches(info.key)) return {};
    const auto slash = recursive ? std::string::npos : info.key.find('/', prefix.size());
    if (slash == std::string::npos) return printer.add({info, {}, false, false});
    Row row{{}, {}, false, true};
    row.info.key = info.key.substr(0, slash + 1);
    // They come in order: all of a folder one after the other.
    if (row.info.key == folder) return {};
    folder = row.info.key;
    return printer.add(std::move(row));
  }));
  return printer.flush();
}

}  // namespace

Result<int> object_list(ObjectSession& session) {
  const auto operands = session.operands();
  ObjectPlace place = operands.empty() ? ObjectPlace{TRY(data_bucket(session.config())), ""}
                                       : TRY(place_of(session.config(), operands[0]));
  auto& bucket = *TRY(session.bucket(place.bucket, false));
  ObjectEvent event = session.begin("list", place.bucket, place.key);
  Printer printer(session, bucket, place.bucket, TRY(session.transfer()).parallel);
  auto listed = list(session, bucket, place, printer);
  event.objects = printer.objects();
  Answer answer{std::move(event), "", true, {}, ""};
  if (!listed) answer.event.failure = listed.error();
  session.answer(std::move(answer));
  return session.finish();
}

Result<int> object_versions(ObjectSession& session) {
  const ObjectPlace place = TRY(place_of(session.config(), session.operands()[0]));
  auto& bucket = *TRY(session.bucket(place.bucket, false));
  ObjectEvent event = session.begin("versions", place.bucket, place.key);
  std::uint64_t count = 0;
  auto& out = session.shell().out;
  auto listed = bucket.list({place.key, true}, [&](const cloud::ObjectInfo& info) -> Result<void> {
    if (info.key != place.key) return {};
    ++count;
    const std::string_view state = info.delete_marker ? "deleted" : info.latest ? "latest" : "older";
    if (session.json()) {
      JsonObject json;
      json.text("bucket", place.bucket).text("key", info.key).text("version", info.version);
      json.text("state", state).flag("latest", info.latest);
      if (!info.delete_marker) json.number("stored_bytes", static_cast<std::int64_t>(info.bytes));
      out << json.text("modified", format_time(info.modified_ns)).done() << "\n";
    } else {
      out << fmt::format("{}  {:>10}  {:<7}  {}\n", short_time(info.modified_ns),
                         info.delete_marker ? "-" : format_bytes(info.bytes), state,
                         info.version.empty() ? "-" : info.version);
    }
    return {};
  });
  event.objects = count;
  if (listed && count == 0)
    listed =
        Error{Fault::absent, "{}: there is no object \"{}\", and no older version of it", bucket.name(), place.key};
  Answer answer{std::move(event), "", true, {}, ""};
  if (!listed) answer.event.failure = listed.error();
  session.answer(std::move(answer));
  return session.finish();
}

}  // namespace enclave::cli
