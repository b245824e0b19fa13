#include "archive/search.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "archive/leaf.h"
#include "archive/note.h"
#include "archive/search_match.h"
#include "archive/tiles.h"
#include "event/compress.h"

namespace enclave::archive {
namespace {

constexpr std::uint64_t kCheckpointBytesMax = 1 << 20;
constexpr std::uint64_t kLeavesMax = 1ULL << 32;
constexpr std::size_t kTroublesMax = 1'000;

/// An object that the leaves do not rule out.
struct Candidate {
  std::size_t log;
  std::uint64_t index;
  std::string key;
  Digest sha256;
  std::int64_t time_last_ns;
  bool check_source, check_time;
};

struct Found {
  bool done = false;
  std::deque<SearchHit> hits;
  std::uint64_t plain_bytes = 0;
  std::optional<SearchTrouble> trouble;
};

bool is_checkpoint(const std::string& key) {
  return key.starts_with("v1/") && key.ends_with("/checkpoint") && std::count(key.begin(), key.end(), '/') == 4;
}

Result<std::vector<std::string>> find_origins(LogSource& source, const SearchOptions& options) {
  if (options.origin) return std::vector<std::string>{*options.origin};
  std::vector<std::string> origins;
  TRY(source.list("v1/", [&](const LogSource::Entry& entry) -> Result<void> {
    if (entry.latest && is_checkpoint(entry.key)) origins.push_back(entry.key.substr(3, entry.key.size() - 14));
    return {};
  }));
  return origins;
}

class Search {
 public:
  Search(LogSource& source, const SearchOptions& options) : source_(source), options_(options) {}

  void read_log(const std::string& origin) {
    ++report_.logs;
    origins_.push_back(origin);
    const std::string prefix = "v1/" + origin + "/";
    const auto size = tree_size(prefix + "checkpoint");
    if (!size) return trouble(prefix + "checkpoint", size.error());
    for (std::uint64_t n = 0; n * kTileWidth < *size; ++n) {
      const auto width = static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, *size - n * kTileWidth));
      const TileId tile{.entries = true, .level = 0, .index = n, .width = width};
      if (auto read = read_bundle(prefix, tile); !read) trouble(prefix + tile_path(tile), read.error());
    }
  }

  SearchReport run(const std::function<bool(const SearchHit&)>& take) {
    std::stable_sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
      return std::pair(a.time_last_ns, a.index) > std::pair(b.time_last_ns, b.index);
    });
    found_.resize(candidates_.size());
    std::vector<std::thread> workers;
    const std::size_t count = std::min<std::size_t>(std::max(options_.threads, 1U), candidates_.size());
    for (std::size_t i = 0; i < count; ++i) workers.emplace_back([this] { work(); });
    for (std::size_t i = 0; i < candidates_.size() && !report_.stopped; ++i) deliver(i, take);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    moved_.notify_all();
    for (auto& worker : workers) worker.join();
    return std::move(report_);
  }

 private:
  void trouble(const std::string& key, const Error& error) {
    if (report_.troubles.size() < kTroublesMax) report_.troubles.push_back({key, error.fault(), error.text()});
  }

  Result<std::uint64_t> tree_size(const std::string& key) {
    const Note note = TRY(Note::parse(TRY(source_.get(key, "", kCheckpointBytesMax))));
    const std::uint64_t size = TRY(Checkpoint::parse(note.text)).size;
    if (size > kLeavesMax) return Error{Fault::limit, "a log of {} leaves", size};
    return size;
  }

  Result<void> read_bundle(const std::string& prefix, const TileId& tile) {
    unsigned width = tile.width;
    auto bundle = source_.get(prefix + tile_path(tile), "", kEntryBundleBytesMax);
    if (!bundle && bundle.error().fault() == Fault::absent && width != kTileWidth) {
      // The log has grown since its checkpoint was read, and the full bundle has replaced the partial one.
      bundle =
          source_.get(prefix + tile_path({.entries = true, .level = 0, .index = tile.index}), "", kEntryBundleBytesMax);
      width = kTileWidth;
    }
    if (!bundle) return std::move(bundle).error();
    const auto entries = TRY(decode_entries(*bundle, width));
    for (unsigned i = 0; i < tile.width; ++i) add(TRY(parse_leaf(entries[i])));
    return {};
  }

  void add(const Leaf& leaf) {
    if (leaf.kind != LeafKind::batch || !leaf.object) return;
    ++report_.objects;
    // When the clock was set back, the last record's time is not the latest.
    const auto [earliest, latest] = std::minmax(leaf.time_first_ns, leaf.time_last_ns);
    if (latest < options_.since_ns || earliest >= options_.until_ns) return;
    const auto matching = std::count_if(leaf.sources.begin(), leaf.sources.end(), [&](const LeafSource& source) {
      return source_matches(options_.sources, source.source);
    });
    if (matching == 0 && !options_.sources.empty()) return;
    candidates_.push_back({origins_.size() - 1, leaf.index, leaf.object->key, leaf.object->sha256, leaf.time_last_ns,
                           static_cast<std::size_t>(matching) < leaf.sources.size(),
                           earliest < options_.since_ns || latest >= options_.until_ns});
  }

  void work() {
    for (;;) {
      const std::size_t mine = next_++;
      if (mine >= candidates_.size()) return;
      {
        std::unique_lock lock(mutex_);
        moved_.wait(lock, [&] { return stop_ || mine < delivered_ + 2 * std::max(options_.threads, 1U); });
        if (stop_) return;
      }
      Found found = look_into(candidates_[mine]);
      found.done = true;
      const std::lock_guard lock(mutex_);
      found_[mine] = std::move(found);
      moved_.notify_all();
    }
  }

  Found look_into(const Candidate& candidate) {
    Found found;
    Matcher matcher(options_, candidate.check_source, candidate.check_time);
    const auto read = [&]() -> Result<void> {
      const std::string object = TRY(source_.get(candidate.key, "", options_.object_bytes_max));
      if (crypto::sha256(object) != candidate.sha256)
        return Error{Fault::corrupt, "its bytes are not those that leaf {} names", candidate.index};
      event::Decompressor decompressor;
      TRY(crypto::age_decrypt(object, options_.identities, [&](std::string_view piece) {
        return decompressor.feed(piece, options_.plain_bytes_max,
                                 [&](std::string_view plain) { return matcher.feed(plain); });
      }));
      TRY(decompressor.finish());
      return matcher.finish();
    };
    if (auto done = read(); !done)
      found.trouble = SearchTrouble{candidate.key, done.error().fault(), done.error().text()};
    found.plain_bytes = matcher.bytes();
    found.hits = matcher.take();
    return found;
  }

  void deliver(std::size_t index, const std::function<bool(const SearchHit&)>& take) {
    Found found;
    {
      std::unique_lock lock(mutex_);
      moved_.wait(lock, [&] { return found_[index].done; });
      found = std::move(found_[index]);
      delivered_ = index + 1;
    }
    moved_.notify_all();
    ++report_.objects_searched;
    report_.plain_bytes += found.plain_bytes;
    if (found.trouble && report_.troubles.size() < kTroublesMax) report_.troubles.push_back(std::move(*found.trouble));
    for (auto hit = found.hits.rbegin(); hit != found.hits.rend() && !report_.stopped; ++hit) {
      hit->origin = origins_[candidates_[index].log];
      hit->leaf = candidates_[index].index;
      ++report_.hits;
      report_.stopped = !take(*hit) || report_.hits == options_.limit;
    }
  }

  LogSource& source_;
  const SearchOptions& options_;
  SearchReport report_;
  std::vector<std::string> origins_;
  std::vector<Candidate> candidates_;
  std::vector<Found> found_;   ///< guarded by mutex_
  std::size_t delivered_ = 0;  ///< guarded by mutex_
  std::atomic<std::size_t> next_{0};
  bool stop_ = false;  ///< guarded by mutex_
  std::mutex mutex_;
  std::condition_variable moved_;
};

}  // namespace

Result<SearchReport> search(LogSource& source, const SearchOptions& options,
                            const std::function<bool(const SearchHit&)>& take) {
  Search search(source, options);
  for (const auto& origin : TRY(find_origins(source, options))) search.read_log(origin);
  return search.run(take);
}

}  // namespace enclave::archive
