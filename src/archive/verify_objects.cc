#include "archive/verify_objects.h"

#include <algorithm>

#include "archive/verify_records.h"
#include "base/encoding.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kJobsPerThread = 4;
constexpr std::int64_t kProgressEveryNs = 200'000'000;

}  // namespace

ObjectCheck::ObjectCheck(LogSource& source, const VerifyOptions& options, Clock& clock, Findings& findings,
                         Allowed allowed, VerifyProgress total)
    : source_(source),
      options_(options),
      clock_(clock),
      findings_(findings),
      allowed_(std::move(allowed)),
      pending_(options.pending_objects.begin(), options.pending_objects.end()),
      progress_(total) {
  for (unsigned i = 0; i < std::max(options.threads, 1U); ++i) threads_.emplace_back([this] { work(); });
}

ObjectCheck::~ObjectCheck() { finish(); }

void ObjectCheck::submit(ObjectJob job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.size() < kJobsPerThread * threads_.size(); });
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

ObjectCheck::Counts ObjectCheck::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  threads_.clear();
  if (not_ours_first_) {
    if (not_ours_ > 1) not_ours_first_->text += fmt::format(" The same holds for {} more objects.", not_ours_ - 1);
    findings_.add(std::move(*not_ours_first_));
    not_ours_first_.reset();
  }
  if (options_.progress && progress_at_ns_ != 0) options_.progress(progress_);
  progress_at_ns_ = 0;
  return counts_;
}

void ObjectCheck::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const ObjectJob job = std::move(jobs_.front());
    jobs_.pop_front();
    changed_.notify_all();
    lock.unlock();
    check(job);
  }
}

void ObjectCheck::progress(std::uint64_t bytes, bool object_done) {
  if (!options_.progress) return;
  const std::lock_guard lock(mutex_);
  progress_.bytes_done += bytes;
  if (object_done) ++progress_.objects_done;
  const std::int64_t now = clock_.boot_ns();
  if (progress_at_ns_ != 0 && now - progress_at_ns_ < kProgressEveryNs) return;
  progress_at_ns_ = now;
  options_.progress(progress_);
}

Result<std::pair<std::uint64_t, Digest>> ObjectCheck::digest_of(const std::string& key, const std::string& version) {
  crypto::Sha256 hash;
  std::uint64_t bytes = 0;
  TRY(source_.stream(key, version, options_.object_bytes_max, [&](std::string_view piece) -> Result<void> {
    hash.update(piece);
    bytes += piece.size();
    progress(piece.size(), false);
    return {};
  }));
  return std::pair(bytes, hash.finish());
}

Result<bool> ObjectCheck::latest_is_whole(const ObjectJob& job) {
  const LeafObject& object = *job.leaf.object;
  const std::string version = job.stored.empty() ? "" : job.stored.front().version;
  if (options_.identities.empty()) {
    const auto [bytes, digest] = TRY(digest_of(object.key, version));
    if (bytes == object.bytes && digest == object.sha256) return true;
    modified(job, bytes, digest);
    return false;
  }
  const std::string stored = TRY(source_.get(object.key, version, options_.object_bytes_max));
  progress(stored.size(), false);
  const Digest digest = crypto::sha256(stored);
  if (stored.size() != object.bytes || digest != object.sha256) {
    modified(job, stored.size(), digest);
    return false;
  }
  return records(job.leaf, stored);
}

void ObjectCheck::check(const ObjectJob& job) {
  const LeafObject& object = *job.leaf.object;
  // Of a key whose newest version is a delete marker only older versions are listed.
  const bool deleted = !job.stored.empty() && !job.stored.front().latest;
  const auto whole = deleted ? Result<bool>(Error{Fault::absent, "deleted"}) : latest_is_whole(job);
  if (whole && *whole) {
    const std::lock_guard lock(mutex_);
    ++counts_.ok;
    counts_.bytes += object.bytes;
  } else if (!whole && whole.error().fault() == Fault::absent) {
    absent(job);
  } else if (!whole && whole.error().fault() == Fault::limit && options_.object_bytes_max >= object.bytes) {
    findings_.add(Verdict::modified, Weight::violated, object.key, job.leaf,
                  fmt::format("It is larger than the {} bytes that were sealed.", object.bytes));
  } else if (!whole) {
    findings_.add(Verdict::unreadable, Weight::inconclusive, object.key, job.leaf,
                  fmt::format("It cannot be read: {}.", whole.error().text()));
  }
  older_versions(job);
  progress(0, true);
}

void ObjectCheck::absent(const ObjectJob& job) {
  const std::string& key = job.leaf.object->key;
  if (allowed_.expired.contains(key))
    return findings_.add(Verdict::expired, Weight::note, key, job.leaf,
                         "Deleted by the rule of retention: an expire leaf of this log says so.");
  if (pending_.contains(key))
    return findings_.add(Verdict::pending, Weight::note, key, job.leaf,
                         "Sealed, and waiting in this machine's outbox until the store takes it.");
  if (const auto lost = job.leaf.seq ? allowed_.lost.find(job.leaf.seq->first) : allowed_.lost.end();
      lost != allowed_.lost.end() && lost->second.first == job.leaf.seq->second)
    return findings_.add(Verdict::missing, Weight::note, key, job.leaf,
                         "It never reached the store; a gap leaf of this log says: " + lost->second.second + ".");
  std::string text = "The object is gone. The log proves that it was sealed, and no expire leaf allows its deletion.";
  for (const StoredVersion& stored : job.stored)
    if (const auto found = digest_of(key, stored.version); found && found->second == job.leaf.object->sha256) {
      text += fmt::format(" Version {} of it is still stored and is whole: restore that one.", stored.version);
      break;
    }
  findings_.add(Verdict::missing, Weight::violated, key, job.leaf, std::move(text));
}

void ObjectCheck::modified(const ObjectJob& job, std::uint64_t bytes, const Digest& digest) {
  const LeafObject& object = *job.leaf.object;
  std::string text = bytes != object.bytes
                         ? fmt::format("It has {} bytes; {} were sealed.", bytes, object.bytes)
                         : fmt::format("Its SHA-256 is {}…; {}… was sealed.", to_hex(bytes_of(digest)).substr(0, 16),
                                       to_hex(bytes_of(object.sha256)).substr(0, 16));
  for (std::size_t i = 1; i < job.stored.size(); ++i)
    if (const auto found = digest_of(object.key, job.stored[i].version); found && found->second == object.sha256) {
      text += fmt::format(" The older version {} is the one that was sealed: restore it.", job.stored[i].version);
      break;
    }
  findings_.add(Verdict::modified, Weight::violated, object.key, job.leaf, std::move(text));
}

/// An immutable key has one content; another one in an older version was written over it.
void ObjectCheck::older_versions(const ObjectJob& job) {
  const LeafObject& object = *job.leaf.object;
  for (const StoredVersion& stored : job.stored) {
    if (stored.latest) continue;
    const auto found = digest_of(object.key, stored.version);
    if (!found) {
      findings_.add(Verdict::unreadable, Weight::inconclusive, object.key, job.leaf,
                    fmt::format("Its older version {} cannot be read: {}.", stored.version, found.error().text()));
    } else if (found->first != object.bytes || found->second != object.sha256) {
      findings_.add(Verdict::modified, Weight::violated, object.key, job.leaf,
                    fmt::format("Its older version {} is not what was sealed.", stored.version));
    }
  }
}

bool ObjectCheck::records(const Leaf& leaf, std::string_view object) {
  std::uint64_t read = 0;
  auto problem = check_records(leaf, object, options_.identities, read);
  const std::lock_guard lock(mutex_);
  counts_.records_read += read;
  if (!problem) return true;
  if (!problem->wrong_identity) {
    findings_.add(problem->verdict, problem->weight, leaf.object->key, leaf, std::move(problem->text));
    return false;
  }
  if (not_ours_++ > 0) return true;
  not_ours_first_.emplace();
  describe_leaf(leaf, *not_ours_first_);
  not_ours_first_->verdict = problem->verdict;
  not_ours_first_->weight = problem->weight;
  not_ours_first_->key = leaf.object->key;
  not_ours_first_->text = std::move(problem->text);
  return true;
}

}  // namespace enclave::archive
