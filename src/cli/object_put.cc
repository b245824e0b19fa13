#include <istream>

#include "base/files.h"
#include "cli/config_file.h"
#include "cli/object_actions.h"
#include "cli/printable.h"
#include "cloud/parallel.h"
#include "keys/keys.h"

namespace enclave::cli {
namespace {

constexpr Nanoseconds kForgotten = std::chrono::hours(24);

struct Item {
  std::string path;  ///< "-": the standard input
  std::string key;
  std::uint64_t bytes = 0;
};

struct Target {
  ObjectPlace place;
  std::vector<std::string> sources;
};

Result<Target> target_of(ObjectSession& session) {
  const pipeline::Config& config = session.config();
  Target target{{}, session.operands()};
  const std::string last = target.sources.back();
  if (target.sources.size() < 2 || !names_bucket(config, last)) {
    target.place.bucket = TRY(data_bucket(config));
    return target;
  }
  Shell& shell = session.shell();
  const bool file_too = !last.starts_with("s3://") && shell.world.files.info(absolute_path(shell, last));
  if (file_too)
    return Error{Fault::invalid, "{0} is a bucket and a file here: write s3://{0} for the bucket, ./{0} for the file",
                 last};
  target.sources.pop_back();
  target.place = TRY(place_of(config, last));
  return target;
}

Result<void> add_directory(Files& files, const std::string& root, const std::string& below, std::vector<Item>& items) {
  return walk_files(files, root, [&](const std::string& relative, const FileInfo& info) -> Result<void> {
    items.push_back({join_path(root, relative), below + relative, info.bytes});
    return {};
  });
}

/// `path/` and `path` are the same; "." and ".." have no name that a key could begin with.
std::string own_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::string name(name_in(path));
  return name == "." || name == ".." || name == "/" ? "" : name;
}

/// Whoever means a bucket that enclave.yaml does not name is told so, not that a file is missing.
Error absent_source(const Target& target, const std::string& source, Error error) {
  const bool place =
      &source == &target.sources.back() && target.sources.size() > 1 && source.front() != '/' && source.front() != '.';
  if (error.fault() != Fault::absent || !place) return error;
  return {Fault::absent, "{0} is no file here, and enclave.yaml names no bucket {1}; any other bucket: s3://{0}",
          source, source.substr(0, source.find('/'))};
}

Result<std::vector<Item>> items_of(ObjectSession& session, const Target& target) {
  Shell& shell = session.shell();
  Files& files = shell.world.files;
  std::vector<Item> items;
  const std::string& prefix = target.place.key;
  const bool below = prefix.empty() || prefix.ends_with('/') || target.sources.size() > 1;
  const std::string start = prefix.empty() || prefix.ends_with('/') ? prefix : prefix + "/";
  for (const auto& source : target.sources) {
    if (source == "-") {
      if (below) return Error{Fault::invalid, "what comes from the standard input needs a key: put - BUCKET/KEY"};
      items.push_back({"-", prefix, 0});
      continue;
    }
    const std::string path = absolute_path(shell, source);
    const auto found = files.info(path);
    if (!found) return absent_source(target, source, found.error());
    const FileInfo& info = *found;
    if (info.kind == FileKind::directory) {
      const std::string name = own_name(source);
      TRY(add_directory(files, path, start + (name.empty() ? "" : name + "/"), items));
    } else if (info.kind == FileKind::regular) {
      items.push_back({path, below ? start + own_name(source) : prefix, info.bytes});
    } else {
      return Error{Fault::unsupported, "{} is neither a file nor a directory; pipe it: put - BUCKET/KEY", source};
    }
  }
  std::set<std::string> keys;
  for (const auto& item : items)
    if (!keys.insert(item.key).second)
      return Error{Fault::invalid, "two of the files would become the object {}", printable(item.key)};
  return items;
}

/// That of the bucket on this machine, made now when there is none.
Result<std::vector<crypto::AgeRecipient>> own_identity(ObjectSession& session, const std::string& bucket) {
  World world = session.world();
  const std::string path = session.config().data_identity(bucket);
  auto identity = TRY(keys::load_or_make_identity(world.files, path, world.random, world.clock));
  if (identity.made_now)
    session.shell().err << fmt::format(
        "The identity of the bucket {} was made now and lies in\n  {}\n"
        "Whoever has this file can read the bucket, and without it nobody can. Keep a\n"
        "copy in a safe place, move it away from this machine, and write its recipient\n"
        "(age1…, in the file) below recipients: of the bucket instead.\n",
        bucket, path);
  return std::move(identity.recipients);
}

Result<std::vector<crypto::AgeRecipient>> recipients_of(ObjectSession& session, const std::string& bucket) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("plain")) {
    if (arguments.has("recipient")) return Error{Fault::invalid, "--plain and --recipient exclude each other"};
    return std::vector<crypto::AgeRecipient>();
  }
  std::vector<std::string> texts = arguments.values("recipient");
  const auto* known = session.config().bucket(bucket);
  if (texts.empty() && known != nullptr) texts = known->recipients;
  if (!texts.empty()) return keys::parse_recipients(texts);
  if (known != nullptr && session.config().keys.provider == "file") return own_identity(session, bucket);
  return Error{Fault::denied,
               "the bucket {} has no recipient to encrypt to. Make a pair of keys with: age-keygen -o FILE; keep FILE "
               "away from this machine, and write its public key (age1…) below recipients: of the bucket in {}, or "
               "give it as --recipient. --plain stores without encryption",
               bucket, session.config().path};
}

/// Sends one, and answers.
class Putter {
 public:
  Putter(ObjectSession& session, cloud::ObjectBucket& bucket, std::string name,
         std::span<const crypto::AgeRecipient> recipients, const cloud::TransferOptions& options)
      : session_(session), bucket_(bucket), name_(std::move(name)), recipients_(recipients), options_(options) {}

  void put(const Item& item) {
    ObjectEvent event = session_.begin("put", name_, item.key);
    event.path = item.path;
    const cloud::UploadFrom from{item.key, item.path, recipients_};
    auto stored = item.path == "-" ? from_stdin(from, event)
                                   : cloud::upload_file(session_.world(), bucket_, from, options_, event.told);
    Answer answer;
    if (stored) {
      event.version = stored->version;
      event.bytes = stored->plain_bytes;
      event.stored_bytes = stored->stored_bytes;
      event.encrypted = !recipients_.empty();
      answer.text = fmt::format("{}/{}  {}{}", name_, printable(item.key), format_bytes(stored->plain_bytes),
                                stored->resumed ? ", resumed" : "");
    } else {
      event.failure = told_of(item, std::move(stored).error());
    }
    session_.progress(0, 1);
    answer.event = std::move(event);
    session_.answer(std::move(answer));
  }

 private:
  Result<cloud::Stored> from_stdin(const cloud::UploadFrom& from, ObjectEvent& event) {
    std::istream* in = session_.shell().in;
    if (in == nullptr) return Error{Fault::unsupported, "there is no standard input"};
    const auto read = [&](std::span<char> into) -> Result<std::size_t> {
      in->read(into.data(), static_cast<std::streamsize>(into.size()));
      if (in->bad()) return Error{Fault::busy, "the standard input cannot be read"};
      return static_cast<std::size_t>(in->gcount());
    };
    return cloud::upload_stream(session_.world(), bucket_, from, read, options_, event.told);
  }

  Error told_of(const Item& item, Error error) const {
    if (error.fault() == Fault::busy && item.path != "-" && item.bytes > options_.part_bytes &&
        !options_.journals.empty())
      return {Fault::busy, "{}: {}; the same command goes on where it was", item.path, error.text()};
    return std::move(error).within(item.path);
  }

  ObjectSession& session_;
  cloud::ObjectBucket& bucket_;
  const std::string name_;
  std::span<const crypto::AgeRecipient> recipients_;
  const cloud::TransferOptions& options_;
};

/// What nobody went on with for a day; where it fails, the next one tries again.
void sweep(ObjectSession& session, cloud::ObjectBucket& bucket) {
  if (session.journals().empty()) return;
  (void)cloud::sweep_uploads(session.world(), session.journals(), kForgotten,
                             [&](const std::string& store) { return store == bucket.name() ? &bucket : nullptr; });
}

}  // namespace

Result<int> object_put(ObjectSession& session) {
  const Target target = TRY(target_of(session));
  const std::string& name = target.place.bucket;
  TRY(session.check_writable(name));
  cloud::TransferOptions options = TRY(session.transfer());
  const auto items = TRY(items_of(session, target));
  const auto recipients = TRY(recipients_of(session, name));
  cloud::ObjectBucket& bucket = *TRY(session.bucket(name, true));
  std::vector<const Item*> small, large;
  std::uint64_t bytes = 0;
  for (const auto& item : items) {
    (item.path == "-" || item.bytes > options.part_bytes ? large : small).push_back(&item);
    bytes += item.bytes;
  }
  session.expect(bytes, items.size());
  options.progress = [&](std::uint64_t more) { session.progress(more, 0); };
  Putter putter(session, bucket, name, recipients, options);
  TRY(cloud::in_parallel(options.parallel, small.size(), [&](unsigned, std::uint64_t i) -> Result<void> {
    if (!session.is_stopped()) putter.put(*small[i]);
    return {};
  }));
  // Each of these has all threads for its parts.
  for (const auto* item : large)
    if (!session.is_stopped()) putter.put(*item);
  sweep(session, bucket);
  const int status = session.finish();
  if (session.is_stopped()) session.shell().err << "enclave object put: stopped; what is not listed was not sent\n";
  return status;
}

}  // namespace enclave::cli
