#include "pipeline/s3_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/encoding.h"
#include "base/files.h"
#include "pipeline/gzip_member.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/target_packer.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPrefixBytesMax = 900, kNameBytesMax = 255;

/// The folder and those below it, as far as they are empty.
void remove_empty_folders(const std::string& root) {
  std::error_code ignored;
  std::vector<std::string> all{root};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const auto& entry : std::filesystem::directory_iterator(all[i], ignored))
      if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) all.push_back(entry.path());
  while (!all.empty()) {
    std::filesystem::remove(all.back(), ignored);
    all.pop_back();
  }
}

}  // namespace

std::string s3_prefix_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('/'), text.size());
    std::string name(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") name = "_";
    for (char& c : name)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || std::string_view("\\^`><").find(c) < 5) c = '_';
    if (name.size() > kNameBytesMax || !is_utf8(name)) name = "_";
    if (out.size() + name.size() + 1 > kPrefixBytesMax) break;
    out += name;
    out += '/';
  }
  return out;
}

S3Output::~S3Output() {
  if (uploads_ == nullptr) return;
  // What cannot be uploaded any more stays for the next start.
  (void)files_->sync();
  while (!collecting_.empty()) (void)rotate(collecting_.begin());
  uploads_.reset();
  clean(folder_);
}

/// Keeps the lock of a folder that still holds something.
void S3Output::clean(const std::string& folder) const {
  remove_empty_folders(folder);
  if (!setup_->world.files.info(folder)) (void)remove_if_there(setup_->world.files, folder + ".lock");
}

std::string S3Output::new_uuid() const {
  std::array<std::uint8_t, 16> bytes;
  setup_->world.random.fill(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // RFC 9562: version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text = to_hex(bytes_of(bytes));
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

Result<void> S3Output::open(const OutputSetup& setup) {
  setup_.emplace(setup);
  cloud::S3Credentials credentials{options_.credentials.access_key, options_.credentials.secret_key.clone(),
                                   options_.credentials.session_token.clone()};
  client_ = TRY(cloud::S3Client::make(setup.world, options_.upload.server, std::move(credentials)));
  root_ = options_.temporary_directory.empty() ? join_path(setup.state_directory, "s3") : options_.temporary_directory;
  folder_ = join_path(root_, new_uuid());
  TRY(make_directories(setup.world.files, folder_));
  auto lock = TRY(io::lock_file(folder_ + ".lock"));
  lock_.emplace(std::move(lock));
  FileTargets::Options files;
  files.file_mode = 0600;
  files.folder_mode = 0700;
  files_ = std::make_unique<FileTargets>(std::move(files), setup);
  uploads_ = std::make_unique<S3Uploads>(options_.upload, client_, setup);
  if (options_.validate) TRY(validate());
  if (options_.restore) TRY(restore());
  return {};
}

/// As the original does it: an object at the root of the bucket is written and deleted.
Result<void> S3Output::validate() const {
  const std::string key = "logstash-programmatic-access-test-object-" + new_uuid();
  cloud::S3Request put{.method = "PUT", .key = key};
  put.headers = options_.upload.headers;
  put.body = "enclave";
  if (const auto done = client_->send(put); !done) {
    Error error = done.error();
    if (options_.plain_http)
      error = Error{error.fault(), "{}; the endpoint begins with http://: where that port speaks TLS, write https://",
                    error.text()};
    // A server that is away now may come back; one that refuses will refuse the files too.
    if (error.fault() != Fault::busy) return std::move(error).within(setup_->id);
    setup_->log.trouble(setup_->id, error.text());
    return {};
  }
  const auto removed = client_->send({.method = "DELETE", .key = key});
  if (!removed)
    setup_->log.trouble(key, fmt::format("the object {} was written to test the bucket, and cannot be deleted: {}", key,
                                         removed.error().text()));
  return {};
}

std::unique_ptr<Packer> S3Output::packer() const {
  static const std::string kNoPrefix;
  TargetPacker::Options packing;
  packing.codec = &options_.codec;
  packing.gzip = options_.gzip;
  if (options_.prefix.parts().empty()) packing.constant = &kNoPrefix;
  packing.name = [this](const event::Document& event, FilterRun& run, std::string& into) {
    run.scratch.clear();
    logstash::append_reference(options_.prefix, event, run.now_ns, run.scratch);
    into = s3_prefix_of(run.scratch);
  };
  return std::make_unique<TargetPacker>(std::move(packing));
}

S3Output::Collecting& S3Output::file_of(const std::string& prefix) {
  const auto found = collecting_.find(prefix);
  if (found != collecting_.end()) return found->second;
  const std::string time = format_time(setup_->world.clock.wall_ns());  // 2026-11-23T09:26:33…
  std::string name =
      fmt::format("ls.s3.{}.{}T{}.{}", new_uuid(), time.substr(0, 10), time.substr(11, 2), time.substr(14, 2));
  if (!options_.tags.empty()) {
    name += ".tag_";
    for (const auto& tag : options_.tags) name += (&tag == &options_.tags.front() ? "" : ".") + tag;
  }
  name += fmt::format(".part{}.txt{}", parts_++, options_.gzip ? ".gz" : "");
  const std::string key = prefix + name;
  return collecting_.emplace(prefix, Collecting{join_path(folder_, key), key, 0, setup_->world.clock.boot_ns()})
      .first->second;
}

Result<void> S3Output::deliver(Parcel& parcel, std::uint64_t ticket) {
  std::vector<std::vector<std::string_view>> pieces(parcel.targets.size());
  for (const auto& piece : parcel.pieces)
    pieces[piece.target].push_back(std::string_view(parcel.bytes).substr(piece.begin, piece.end - piece.begin));
  for (std::size_t target = 0; target < pieces.size(); ++target) {
    // Events may name ever new prefixes: the longest collecting one makes room.
    if (collecting_.size() >= kPrefixesMax && !collecting_.contains(parcel.targets[target]))
      TRY(rotate(std::ranges::min_element(collecting_, {}, [](const auto& one) { return one.second.since_boot_ns; })));
    Collecting& file = file_of(parcel.targets[target]);
    TRY(files_->append(file.path, pieces[target]));
    for (const auto piece : pieces[target]) file.bytes += piece.size();
    if (options_.rotation != S3OutputOptions::Rotation::time && file.bytes >= options_.size_file)
      TRY(rotate(collecting_.find(parcel.targets[target])));
  }
  last_ = ticket;
  return {};
}

Result<void> S3Output::rotate(All::iterator which) {
  const Collecting file = std::move(which->second);
  collecting_.erase(which);
  return uploads_->add(file.path, file.key);
}

Result<std::uint64_t> S3Output::settle(bool /*wait*/) {
  TRY(files_->sync());
  const std::uint64_t settled = last_;
  if (options_.rotation == S3OutputOptions::Rotation::size) return settled;
  const std::int64_t old = setup_->world.clock.boot_ns() - options_.time_file.count();
  for (auto one = collecting_.begin(); one != collecting_.end();) {
    const auto at = one++;
    if (at->second.since_boot_ns > old) continue;
    // The program stops: it is queued nevertheless.
    if (const auto rotated = rotate(at); !rotated && rotated.error().fault() != Fault::busy) return rotated.error();
  }
  return settled;
}

/// What an earlier run left. A folder whose owner still runs is left alone.
Result<void> S3Output::restore() {
  for (const auto& entry : TRY(setup_->world.files.list(root_))) {
    const std::string folder = join_path(root_, entry.name);
    if (entry.kind != FileKind::directory || folder == folder_) continue;
    const auto lock = io::lock_file(folder + ".lock");
    if (!lock) continue;
    if (const auto restored = restore_folder(folder); !restored) setup_->log.trouble(folder, restored.error().text());
    clean(folder);
  }
  return {};
}

Result<void> S3Output::restore_folder(const std::string& folder) {
  Files& files = setup_->world.files;
  return walk_files(files, folder, [&](const std::string& key, const FileInfo& info) -> Result<void> {
    const std::string path = join_path(folder, key);
    if (info.bytes == 0) return remove_if_there(files, path);
    // The folder of this run, so that no other start takes it too.
    const std::string ours = join_path(folder_, key);
    TRY(make_directories(files, parent_of(ours)));
    TRY(files.rename(path, ours));
    if (key.ends_with(".gz")) TRY(mend(ours));
    setup_->log.count("files_restored", 1);
    const auto queued = uploads_->add(ours, key);
    return queued || queued.error().fault() == Fault::busy ? Result<void>() : queued;
  });
}

/// Behind the last whole gzip member there is only what was never acknowledged. A file of one torn member is another
/// program's: it is uploaded as it is.
Result<void> S3Output::mend(const std::string& path) const {
  const auto file = TRY(setup_->world.files.open(path));
  std::vector<char> buffer(64 << 10);
  std::uint64_t at = 0;
  const auto read = [&]() -> Result<std::string_view> {
    const std::size_t got = TRY(file->read_at(at, buffer));
    at += got;
    return std::string_view(buffer.data(), got);
  };
  const std::uint64_t whole = TRY(whole_gzip_bytes(read));
  if (whole == 0 || whole == TRY(file->info()).bytes) return {};
  const auto writable = TRY(setup_->world.files.create(path, Create::keep));
  return writable->truncate(whole);
}

}  // namespace enclave::pipeline
