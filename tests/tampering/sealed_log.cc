#include "sealed_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "event/record.h"
#include "io/system.h"

namespace enclave::tampering {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

Scratch::Scratch() {
  std::string name = (fs::temp_directory_path() / "enclave-tampering-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Host::Host(const fs::path& directory, std::uint64_t seed)
    : directory_(directory), random_(seed), identity_(crypto::AgeIdentity::generate(random_)) {
  fs::create_directories(directory_ / "state");
  fs::create_directories(bucket());
  store_ = cloud::open_file_store(world(), bucket().string()).value();
}

World Host::world() { return {clock, io::real_files(), random_}; }

void Host::boot(const std::string& boot_id) {
  log_.reset();
  boot_id_ = boot_id;
  archive::Notices notices;
  log_ = archive::Log::open(
             world(),
             {.directory = (directory_ / "state").string(), .enclave = "ec528", .instance = "vm-1", .boot_id = boot_id},
             notices)
             .value();
}

void Host::add_lines(archive::OpenBatch& batch, std::uint64_t first_seq, std::uint64_t count, const std::string& from,
                     const std::string& to, std::uint64_t lost) {
  event::Batch events;
  events.wall_ns = clock.wall;
  events.boot_ns = clock.boot;
  const std::uint32_t source = events.source(this->source(), from);
  for (std::uint64_t i = 0; i < count; ++i) {
    event::Event event;
    event.raw =
        events.store(fmt::format("Nov 18 09:00:{:02} vm-1 sshd[{}]: Accepted publickey", i % 60, first_seq + i));
    event.offset = i * 64;
    event.source = source;
    events.events.push_back(event);
  }
  events.sources[source].to = to;
  events.sources[source].count = count;
  events.sources[source].lost = lost;
  std::string plain, frame;
  std::vector<std::size_t> ends;
  event::write_records(events, first_seq, boot_id_, plain, ends);
  std::vector<archive::Digest> leaves;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    leaves.push_back(archive::leaf_hash(std::string_view(plain).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (count > 0) event::Compressor().frame(plain, frame);
  batch.add(first_seq, leaves, frame, plain.size(), clock.wall, clock.boot, events.sources);
}

void Host::seal_batch(archive::OpenBatch& batch) {
  const std::vector<crypto::AgeRecipient> recipients{identity_.recipient()};
  archive::Sealer sealer(*log_, recipients, boot_id_, random_);
  ASSERT_TRUE(sealer.seal(batch));
}

void Host::seal(std::uint64_t count, std::uint64_t lost) {
  clock.pass(7 * kSecond);
  archive::OpenBatch batch;
  const std::uint64_t to = position_ + count * 64 + lost;
  add_lines(batch, next_seq_, count, std::to_string(position_), std::to_string(to), lost);
  position_ = to;
  next_seq_ += count;
  seal_batch(batch);
}

void Host::heartbeats(int count) {
  for (int i = 0; i < count; ++i) {
    clock.pass(300 * kSecond);
    archive::Sealer sealer(*log_, {identity_.recipient()}, boot_id_, random_);
    ASSERT_TRUE(sealer.heartbeat(clock.wall, clock.boot));
  }
}

void Host::send_objects() {
  for (const auto& pending : log_->pending()) {
    ASSERT_TRUE(store_->put_if_absent(pending.key, log_->read_pending(pending.index).value()));
    ASSERT_TRUE(log_->sent(pending.index));
  }
}

void Host::send_tiles() {
  const auto tiles = log_->tiles_to_publish(log_->size());
  ASSERT_TRUE(tiles);
  for (const auto& tile : *tiles) (void)store_->put_if_absent(tile.key, tile.bytes);
}

void Host::publish() {
  send_objects();
  send_tiles();
  const std::uint64_t size = log_->size();
  const auto checkpoint = log_->checkpoint(size);
  ASSERT_TRUE(checkpoint);
  ASSERT_TRUE(store_->put(checkpoint->key, checkpoint->bytes));
  ASSERT_TRUE(log_->published(size));
}

SealedLog::SealedLog() : host(std::make_unique<Host>(scratch.path(), 528)) {
  const auto upload = [&](bool snapshot = false) {
    host->publish();
    checkpoints.push_back(Copy::read(host->bucket() / "v1" / kOrigin / "checkpoint"));
    if (!snapshot) return;
    snapshots.push_back(scratch.path() / fmt::format("snapshot{}", snapshots.size()));
    fs::copy(host->bucket(), snapshots.back(), fs::copy_options::recursive);
  };
  const auto seal = [&](std::uint64_t count) {
    objects.push_back(host->log().size());
    host->seal(count);
  };
  host->boot(kBootA);
  seal(10);
  upload();
  seal(3);
  seal(40);
  upload();
  host->heartbeats(5);
  upload(true);
  host->clock.wall += 90 * kSecond;  // the machine is off for a while
  host->clock.boot = 20 * kSecond;
  key_leaf = host->log().size();
  host->boot(kBootB);
  seal(100);
  upload();
  host->heartbeats(120);
  seal(7);
  upload(true);
  host->heartbeats(130);
  seal(25);
  upload();
  host->heartbeats(20);
  seal(4);
  upload(true);
  seal(1);
  upload();
  host->heartbeats(5);
  seal(60);
  upload();
}

const SealedLog& sealed_log() {
  static const SealedLog log;
  return log;
}

Copy::Copy(const fs::path& bucket) { fs::copy(bucket, path(), fs::copy_options::recursive); }

std::string Copy::read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void Copy::write(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

void Copy::flip(const fs::path& file, std::uint64_t offset, unsigned char mask) {
  std::string bytes = read(file);
  ENSURE(offset < bytes.size());
  bytes[offset] = static_cast<char>(static_cast<unsigned char>(bytes[offset]) ^ mask);
  write(file, bytes);
}

std::vector<fs::path> Copy::files() const {
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(path()))
    if (entry.is_regular_file()) all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

archive::VerifyReport Copy::verify(const std::function<void(archive::VerifyOptions&)>& adjust) const {
  archive::VerifyOptions options;
  options.keys = {archive::NoteVerifier::parse(sealed_log().host->log().trust_anchor()).value()};
  options.threads = 2;
  if (adjust) adjust(options);
  const auto source = archive::directory_source(io::real_files(), path().string());
  return archive::verify(*source, options, io::real_clock()).value();
}

std::vector<std::string> of_weight(const archive::VerifyReport& report, archive::Weight weight) {
  std::vector<std::string> all;
  const auto add = [&](const archive::Finding& finding) {
    if (finding.weight != weight) return;
    std::string key = finding.key;
    const std::string prefix = "v1/" + finding.origin + "/";
    if (!finding.origin.empty() && key.starts_with(prefix)) key.erase(0, prefix.size());
    std::string text = fmt::format("{} {}", name_of(finding.verdict), key.empty() ? "-" : key);
    if (finding.index) text += fmt::format(" {}", *finding.index);
    all.push_back(std::move(text));
  };
  for (const auto& log : report.logs)
    for (const auto& finding : log.findings) add(finding);
  for (const auto& finding : report.findings) add(finding);
  return all;
}

std::vector<std::string> violations(const archive::VerifyReport& report) {
  return of_weight(report, archive::Weight::violated);
}

std::string object_name(std::uint64_t index) { return fmt::format("b/{:020}.ndjson.zst.age", index); }

}  // namespace enclave::tampering
