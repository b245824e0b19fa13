#include <algorithm>
#include <iterator>

#include "base/encoding.h"
#include "base/files.h"
#include "cli/config_file.h"
#include "cli/object_actions.h"
#include "cli/printable.h"
#include "cloud/parallel.h"
#include "keys/keys.h"

namespace enclave::cli {
namespace {

struct Item {
  FoundObject object;
  std::string path;  ///< "-": the standard output
};

struct Span {
  std::uint64_t first = 0, last = 0;
};

Result<std::optional<Span>> span_of(const Arguments& arguments) {
  if (!arguments.has("range")) return std::optional<Span>();
  const std::string text = arguments.value("range");
  const auto dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash));
  const auto last = dash == std::string::npos ? first : parse_number(text.substr(dash + 1));
  if (dash == std::string::npos || !first || !last || *last < *first)
    return Error{Fault::invalid, "--range: \"{}\" is not FIRST-LAST, both counted from 0, such as 0-1023", text};
  return std::optional<Span>(Span{*first, *last});
}

/// A file, a directory, or the standard output. One object goes to a path that is no directory.
Result<std::vector<Item>> items_of(ObjectSession& session) {
  Shell& shell = session.shell();
  const Arguments& arguments = session.arguments();
  const auto found = TRY(find_objects(session, session.operands(), arguments.has("recursive"), false));
  const std::string wanted = arguments.value("output", ".");
  const std::string path = absolute_path(shell, wanted);
  const auto info = shell.world.files.info(path);
  const bool is_directory = wanted.ends_with('/') || (info && info->kind == FileKind::directory);
  const bool many = found.size() > 1 || found[0].listed;
  if (many && wanted == "-" && found.size() > 1)
    return Error{Fault::invalid, "--output -: {} objects do not go to one standard output", found.size()};
  if (many && wanted != "-" && info && !is_directory)
    return Error{Fault::invalid, "--output: {} is not a directory, and there are {} objects", wanted, found.size()};
  std::vector<Item> items;
  for (const auto& object : found) {
    if (wanted == "-") {
      items.push_back({object, "-"});
    } else if (!many && !is_directory) {
      items.push_back({object, path});
    } else {
      items.push_back({object, join_path(path, TRY(local_path(object.info.key, object.asked)))});
    }
  }
  return items;
}

Result<std::vector<crypto::AgeIdentity>> identities_of(ObjectSession& session) {
  const Arguments& arguments = session.arguments();
  Files& files = session.shell().world.files;
  if (arguments.has("identity"))
    return keys::load_identities(files, absolute_path(session.shell(), arguments.value("identity")));
  // Those that happen to be on this machine; that none fits is said with the object.
  std::vector<crypto::AgeIdentity> all;
  const auto take = [&](const std::string& path) {
    auto own = keys::load_identities(files, path);
    if (own) std::move(own->begin(), own->end(), std::back_inserter(all));
  };
  for (const auto& bucket : session.config().buckets)
    if (bucket.purpose == "data") take(session.config().data_identity(bucket.name));
  take(session.config().keys.identity);
  return all;
}

class Getter {
 public:
  Getter(ObjectSession& session, std::span<const crypto::AgeIdentity> identities, std::optional<Span> span,
         const cloud::TransferOptions& options)
      : session_(session), identities_(identities), span_(span), options_(options) {}

  void get(const Item& item, bool alone) {
    ObjectEvent event = session_.begin("get", item.object.bucket, item.object.info.key);
    event.path = item.path;
    event.version = session_.arguments().value("version");
    Answer answer;
    auto got = fetch(item, alone, event, answer);
    if (got) {
      event.bytes = got->bytes;
      event.encrypted = got->encrypted;
      if (item.path != "-")
        answer.text = fmt::format("{}  {}{}{}", printable(item.path), format_bytes(got->bytes),
                                  got->checked ? "" : ", nothing to check it against", got->resumed ? ", resumed" : "");
    } else {
      event.failure = std::move(got).error();
      if (event.failure->fault() == Fault::busy && alone && item.path != "-")
        event.failure = Error{Fault::busy, "{}; the same command goes on where it was", event.failure->text()};
    }
    session_.progress(0, 1);
    answer.quiet_json = item.path == "-";
    answer.event = std::move(event);
    session_.answer(std::move(answer));
  }

 private:
  Result<cloud::Downloaded> fetch(const Item& item, bool alone, ObjectEvent& event, Answer& answer) {
    auto* bucket = TRY(session_.bucket(item.object.bucket, false));
    cloud::ObjectReader::Options reading;
    reading.identities = identities_;
    reading.as_stored = session_.arguments().has("stored");
    if (!span_) reading.ahead_bytes = options_.part_bytes;
    auto reader = cloud::ObjectReader::open(*bucket, item.object.info.key, event.version, reading, event.told);
    if (!reader) return explained(std::move(reader).error());
    if (!reader->head().info.version.empty()) event.version = reader->head().info.version;
    event.stored_bytes = reader->head().info.bytes;
    if (span_) return piece(*reader, item, event);
    const auto write = [&](std::string_view bytes) { return print(bytes); };
    if (item.path == "-") return cloud::download_stream(*reader, write, options_, event.told);
    TRY(make_directories(session_.world().files, parent_of(item.path)));
    const cloud::DownloadTo to{item.path, session_.arguments().has("force"), !alone};
    cloud::TransferOptions options = options_;
    if (!alone) options.parallel = 1;
    auto got = cloud::download_file(session_.world(), *reader, to, options, event.told);
    if (got && !got->temporary.empty()) {
      answer.to = to;
      answer.temporary = got->temporary;
    }
    return got;
  }

  Error explained(Error error) const {
    if (error.fault() != Fault::denied || !identities_.empty() ||
        error.text().find("no identity fits") == std::string::npos)
      return error;
    return {Fault::denied,
            "{}. It is encrypted: name the file with its identity with --identity FILE, or take it as "
            "it is with --stored",
            error.text()};
  }

  Result<void> print(std::string_view bytes) {
    auto& out = session_.shell().out;
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out) return Error{Fault::unsupported, "the output cannot be written"};
    return {};
  }

  Result<cloud::Downloaded> piece(const cloud::ObjectReader& reader, const Item& item, ObjectEvent& event) {
    if (span_->first >= reader.bytes())
      return Error{Fault::invalid, "--range: the object has {} bytes", reader.bytes()};
    const std::uint64_t end = std::min(span_->last, reader.bytes() - 1) + 1;
    const bool to_file = item.path != "-";
    if (to_file && end - span_->first > (std::uint64_t{64} << 20))
      return Error{Fault::limit, "--range: at most 64 MiB go to a file at once; use --output - for more"};
    std::string bytes;
    for (std::uint64_t at = span_->first; at < end;) {
      const std::uint64_t take = std::min<std::uint64_t>(end - at, options_.part_bytes);
      TRY(reader.read(at, take, bytes, event.told));
      at += take;
      if (to_file) continue;
      TRY(print(bytes));
      bytes.clear();
    }
    Files& files = session_.world().files;
    if (to_file)
      TRY(session_.arguments().has("force") ? replace_file(files, item.path, bytes)
                                            : create_file(files, item.path, bytes));
    return cloud::Downloaded{end - span_->first, reader.is_encrypted(), reader.is_encrypted(), false, ""};
  }

  ObjectSession& session_;
  std::span<const crypto::AgeIdentity> identities_;
  const std::optional<Span> span_;
  const cloud::TransferOptions& options_;
};

}  // namespace

Result<int> object_get(ObjectSession& session) {
  const auto span = TRY(span_of(session.arguments()));
  cloud::TransferOptions options = TRY(session.transfer());
  const auto identities = TRY(identities_of(session));
  const auto items = TRY(items_of(session));
  if (items.size() > 1 && (span || session.arguments().has("version")))
    return Error{Fault::invalid, "--{} is for one object", span ? "range" : "version"};
  std::uint64_t bytes = 0;
  std::vector<const Item*> small, large;
  for (const auto& item : items) {
    bytes += item.object.info.bytes;
    // Opened here, since the buckets are not opened by several threads.
    TRY(session.bucket(item.object.bucket, false));
    const bool alone = !item.object.listed ? items.size() == 1 : item.object.info.bytes > options.part_bytes;
    (alone ? large : small).push_back(&item);
  }
  session.expect(bytes, items.size());
  options.progress = [&](std::uint64_t more) { session.progress(more, 0); };
  Getter getter(session, identities, span, options);
  TRY(cloud::in_parallel(options.parallel, small.size(), [&](unsigned, std::uint64_t i) -> Result<void> {
    if (!session.is_stopped()) getter.get(*small[i], false);
    return {};
  }));
  for (const auto* item : large)
    if (!session.is_stopped()) getter.get(*item, true);
  const int status = session.finish();
  if (session.is_stopped()) session.shell().err << "enclave object get: stopped; what is not listed was not fetched\n";
  return status;
}

}  // namespace enclave::cli
