#include "archive/verify_checkpoints.h"

#include <algorithm>

namespace enclave::archive {
namespace {

constexpr std::uint64_t kCheckpointBytesMax = 1U << 20;

std::string key_of(const Inventory& inventory) { return inventory.prefix() + "checkpoint"; }

std::string version_text(const StoredCheckpoint& stored) {
  return stored.latest ? "" : fmt::format(" This is the older version {} of the checkpoint.", stored.version);
}

bool fits(const StoredCheckpoint& stored, const KeyChain& chain, StoredTree& tree) {
  return stored.problem.empty() &&
         chain.check(*stored.note, stored.checkpoint.size).is_signed == KeyChain::Signed::yes &&
         tree.settle(stored.checkpoint.size, stored.checkpoint.root);
}

/// Older checkpoints fit up to the leaf that was changed and none behind it: so the newest that fits is found by
/// halves.
std::optional<StoredCheckpoint> newest_that_fits(LogSource& source, const Inventory& inventory, const KeyChain& chain,
                                                 StoredTree& tree) {
  std::optional<StoredCheckpoint> best;
  std::size_t low = 0, high = inventory.checkpoints.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    auto stored = read_checkpoint(source, inventory.origin, inventory.checkpoints[middle]);
    if (fits(stored, chain, tree)) {
      best = std::move(stored);
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (best) tree.settle(best->checkpoint.size, best->checkpoint.root);
  return best;
}

/// The latest checkpoint is signed, and what is stored does not have its root.
void report_unproven(const Inventory& inventory, const StoredCheckpoint& latest, const Head& head,
                     const StoredTree& tree, Findings& findings) {
  const std::uint64_t size = latest.checkpoint.size;
  const std::uint64_t loaded = tree.loaded();
  if (loaded < size) {
    const std::uint64_t n = loaded / kTileWidth;
    const TileId tile{true, 0, n, static_cast<unsigned>(bundle_width(size, n))};
    findings.add(
        Verdict::missing, Weight::violated, tree.tiles().key(tile), loaded,
        fmt::format("The checkpoint commits to {} leaves; the entries and hash tiles of leaves {} to {} are gone.",
                    size, loaded, size - 1));
    return;
  }
  // Otherwise the bundles that are damaged have been named, or the root has been compared.
  if (!head.proven) return;
  const std::uint64_t older = head.checkpoint->checkpoint.size;
  findings.add(Verdict::forked, Weight::violated, key_of(inventory), older,
               fmt::format("The signed checkpoint of {} leaves is not one of the leaves that are stored: they were all "
                           "replaced together, or the key has signed two histories. An older checkpoint still proves "
                           "the first {} leaves, so the two part at leaf {} or behind it.",
                           size, older, older));
}

void check_one(const Inventory& inventory, const StoredCheckpoint& stored, std::optional<std::uint64_t> latest_size,
               const KeyChain& chain, const StoredTree& tree, Findings& findings) {
  const std::string key = key_of(inventory);
  const std::string version = version_text(stored);
  if (stored.unreachable) return findings.add(Verdict::unreadable, Weight::inconclusive, key, stored.problem + version);
  if (!stored.problem.empty()) return findings.add(Verdict::modified, Weight::violated, key, stored.problem + version);
  const std::uint64_t size = stored.checkpoint.size;
  const auto answer = chain.check(*stored.note, size);
  if (answer.is_signed == KeyChain::Signed::no)
    return findings.add(Verdict::modified, Weight::violated, key, answer.reason + version);
  if (answer.is_signed == KeyChain::Signed::unknowable && stored.latest)
    findings.add(Verdict::unreadable, Weight::inconclusive, key,
                 "Its signature cannot be checked. " + answer.reason + version);
  if (const std::size_t foreign = chain.foreign_signatures(*stored.note); foreign > 0)
    findings.add(Verdict::extra, Weight::note, key,
                 fmt::format("{} signature lines are by keys that this log does not announce; they were not checked.{}",
                             foreign, version));
  if (const auto root = tree.root(size); root && *root != stored.checkpoint.root) {
    findings.add(Verdict::forked, Weight::violated, key, std::nullopt,
                 fmt::format("It signs another root for the first {} leaves than the stored tree has: two histories of "
                             "one log.{}",
                             size, version));
  } else if (!stored.latest && latest_size && size > *latest_size) {
    findings.add(
        Verdict::truncated, Weight::violated, key, *latest_size,
        fmt::format("It commits to {} leaves, the latest one only to {}: the checkpoint was put back, and leaves "
                    "{} to {} with it.{}",
                    size, *latest_size, *latest_size, size - 1, version));
  }
}

}  // namespace

StoredCheckpoint parse_checkpoint(const std::string& origin, std::string bytes) {
  StoredCheckpoint stored;
  stored.bytes = std::move(bytes);
  auto note = Note::parse(stored.bytes);
  if (!note) {
    stored.problem = fmt::format("It cannot be read as a signed note: {}.", note.error().text());
    return stored;
  }
  stored.note = std::move(*note);
  auto checkpoint = Checkpoint::parse(stored.note->text);
  if (!checkpoint) {
    stored.problem = fmt::format("It cannot be read as a checkpoint: {}.", checkpoint.error().text());
    return stored;
  }
  stored.checkpoint = std::move(*checkpoint);
  if (stored.checkpoint.origin != origin)
    stored.problem = "It is the checkpoint of another log, " + stored.checkpoint.origin + ".";
  return stored;
}

StoredCheckpoint read_checkpoint(LogSource& source, const std::string& origin, const StoredVersion& version) {
  auto bytes = source.get("v1/" + origin + "/checkpoint", version.latest ? "" : version.version, kCheckpointBytesMax);
  StoredCheckpoint stored;
  if (bytes) {
    stored = parse_checkpoint(origin, std::move(*bytes));
  } else {
    stored.unreachable = bytes.error().fault() != Fault::limit;
    stored.problem = fmt::format("It cannot be read: {}.", bytes.error().text());
  }
  stored.version = version.version;
  stored.latest = version.latest;
  return stored;
}

Head choose_head(LogSource& source, const Inventory& inventory, const StoredCheckpoint& latest, const KeyChain& chain,
                 StoredTree& tree) {
  const bool readable = latest.problem.empty();
  const bool authentic =
      readable && chain.check(*latest.note, latest.checkpoint.size).is_signed == KeyChain::Signed::yes;
  if (readable && tree.settle(latest.checkpoint.size, latest.checkpoint.root)) return {latest, authentic, true};
  if (auto older = newest_that_fits(source, inventory, chain, tree)) return {std::move(older), true, true};
  tree.settle_without_root(authentic ? latest.checkpoint.size : tree.loaded());
  if (authentic) return {latest, true, false};
  return {};
}

void check_checkpoints(LogSource& source, const Inventory& inventory, const StoredCheckpoint& latest, const Head& head,
                       const KeyChain& chain, const StoredTree& tree, Findings& findings) {
  const bool there = !inventory.checkpoints.empty() && inventory.checkpoints.front().latest;
  std::optional<std::uint64_t> latest_size;
  if (there) {
    check_one(inventory, latest, {}, chain, tree, findings);
    const auto is_signed =
        latest.problem.empty() ? chain.check(*latest.note, latest.checkpoint.size).is_signed : KeyChain::Signed::no;
    if (is_signed != KeyChain::Signed::no) latest_size = latest.checkpoint.size;
    const bool held = head.checkpoint && head.checkpoint->latest && head.proven;
    if (!held && is_signed == KeyChain::Signed::yes) report_unproven(inventory, latest, head, tree, findings);
  } else if (!inventory.checkpoints.empty()) {
    findings.add(Verdict::missing, Weight::violated, key_of(inventory),
                 "The checkpoint was deleted; older versions of it are still stored.");
  }
  for (const StoredVersion& version : inventory.checkpoints)
    if (!version.latest)
      check_one(inventory, read_checkpoint(source, inventory.origin, version), latest_size, chain, tree, findings);
}

void check_last_seen(const std::vector<std::string>& last_seen, const Inventory& inventory, const Head& head,
                     const KeyChain& chain, const StoredTree& tree, Findings& findings) {
  for (const std::string& bytes : last_seen) {
    const StoredCheckpoint seen = parse_checkpoint(inventory.origin, bytes);
    if (seen.note && !seen.problem.empty()) continue;
    if (!seen.problem.empty()) {
      findings.add(Verdict::unreadable, Weight::inconclusive, "", "The checkpoint that was last seen: " + seen.problem);
      continue;
    }
    const std::uint64_t size = seen.checkpoint.size;
    const std::uint64_t now = head.checkpoint ? head.checkpoint->checkpoint.size : tree.size();
    // Who signs the leaves that are gone may be gone with them, so a larger checkpoint counts as it is.
    if (size > now) {
      findings.add(
          Verdict::truncated, Weight::violated, key_of(inventory), now,
          fmt::format("A checkpoint of {} leaves has been seen before; now there are only {}. Leaves {} to {} were "
                      "taken away, or an old copy is shown.",
                      size, now, now, size - 1));
      continue;
    }
    if (const auto answer = chain.check(*seen.note, size); answer.is_signed == KeyChain::Signed::no) {
      findings.add(Verdict::unreadable, Weight::inconclusive, "",
                   "The checkpoint that was last seen: " + answer.reason);
      continue;
    }
    if (const auto root = tree.root(size); root && *root != seen.checkpoint.root)
      findings.add(Verdict::forked, Weight::violated, key_of(inventory), std::nullopt,
                   fmt::format("The checkpoint of {} leaves that has been seen before has another root than the stored "
                               "tree: this is another history.",
                               size));
  }
}

}  // namespace enclave::archive
