#include "archive/verify.h"

#include <algorithm>

#include "archive/verify_checkpoints.h"
#include "archive/verify_history.h"
#include "archive/verify_inventory.h"
#include "archive/verify_objects.h"
#include "archive/verify_tiles.h"

namespace enclave::archive {
namespace {

/// One log, from its checkpoint down: checkpoint → tree → leaves → objects → records.
class LogVerifier {
 public:
  LogVerifier(LogSource& source, const Inventory& inventory, const VerifyOptions& options, Clock& clock)
      : source_(source),
        inventory_(inventory),
        options_(options),
        clock_(clock),
        findings_(inventory.origin, options.findings_max),
        chain_(inventory.origin, options.keys),
        tree_(source, inventory) {}

  LogReport run(std::uint64_t& left_out);

 private:
  void read_tree();
  void judge_anchor();
  void judge_missing_checkpoint();
  void judge_leaves(TileCheck& tiles, History& history, ObjectCheck& objects);
  void judge_leaf(std::uint64_t index, const std::string& text, const std::string& bundle, History& history,
                  ObjectCheck& objects);
  std::span<const StoredObject> stored_at(std::uint64_t index);
  void extra(const StoredObject& object, std::string_view why);
  void judge_beyond(const TileCheck& tiles);
  void never_pass_unproven();
  VerifyProgress work_ahead() const;
  std::string bundle_key(std::uint64_t n) const;

  LogSource& source_;
  const Inventory& inventory_;
  const VerifyOptions& options_;
  Clock& clock_;
  Findings findings_;
  KeyChain chain_;  ///< of the proven leaves
  StoredTree tree_;
  StoredCheckpoint latest_;
  Head head_;
  Allowed allowed_;
  std::size_t next_object_ = 0;
  std::uint64_t objects_ = 0;
};

std::string LogVerifier::bundle_key(std::uint64_t n) const {
  const auto width = static_cast<unsigned>(bundle_width(tree_.size(), n));
  return tree_.tiles().key(tree_.tiles().widest(true, 0, n).value_or(TileId{true, 0, n, width}));
}

void LogVerifier::read_tree() {
  const bool there = !inventory_.checkpoints.empty() && inventory_.checkpoints.front().latest;
  if (there) {
    latest_ = read_checkpoint(source_, inventory_.origin, inventory_.checkpoints.front());
  } else {
    latest_.problem = "There is none.";
  }
  // Which keys the stored leaves claim: enough to choose the checkpoint under which they are then proven.
  KeyChain claimed(inventory_.origin, options_.keys);
  tree_.load(latest_.problem.empty() ? latest_.checkpoint.size : 0, [&](const Leaf& leaf) {
    if (leaf.kind == LeafKind::key) claimed.offer(leaf);
    if (leaf.kind == LeafKind::expire && leaf.object) allowed_.expired.insert(leaf.object->key);
    if (leaf.kind == LeafKind::gap && leaf.seq) allowed_.lost[leaf.seq->first] = {leaf.seq->second, leaf.reason};
  });
  head_ = choose_head(source_, inventory_, latest_, claimed, tree_);
}

void LogVerifier::judge_anchor() {
  if (tree_.size() == 0 || chain_.anchor() == KeyChain::Anchor::given) return;
  const std::string claimed = chain_.claimed().empty() ? "nothing that can be read" : chain_.claimed();
  if (chain_.anchor() == KeyChain::Anchor::other)
    return findings_.add(
        Verdict::forked, Weight::violated, bundle_key(0), 0,
        fmt::format("This log was begun by another key than the one that you were given: leaf 0 names {}. "
                    "All of it was written anew, or the key is the wrong one.",
                    claimed));
  findings_.add(
      Verdict::unreadable, Weight::inconclusive, bundle_key(0), 0,
      fmt::format("No key was given for this log, so anybody could have written it. It claims {}; compare that "
                  "with what the host's owner says, and give it as --key.",
                  claimed));
}

void LogVerifier::judge_missing_checkpoint() {
  if (!inventory_.checkpoints.empty()) return;
  const std::string key = inventory_.prefix() + "checkpoint";
  if (inventory_.tiles.empty())
    return findings_.add(
        Verdict::missing, Weight::inconclusive, key,
        "There is no checkpoint, and no leaf. A host that has just begun sends its objects first; if this "
        "one did not, the log was taken away.");
  // The tiles of a first upload that was cut short have one width at each place.
  const auto tiles = tiles_between(0, tree_.loaded());
  const bool first_upload = std::all_of(inventory_.tiles.begin(), inventory_.tiles.end(), [&](const auto& tile) {
    return std::find(tiles.begin(), tiles.end(), tile.first) != tiles.end();
  });
  findings_.add(Verdict::missing, first_upload ? Weight::inconclusive : Weight::violated, key,
                first_upload
                    ? "There is no checkpoint. A first upload that was cut short leaves this; so does who deletes it."
                    : "There is no checkpoint, although tiles of more than one upload are there: it was deleted.");
}

std::span<const StoredObject> LogVerifier::stored_at(std::uint64_t index) {
  const auto& all = inventory_.objects;
  while (next_object_ < all.size() && all[next_object_].index < index) ++next_object_;
  const std::size_t begin = next_object_;
  while (next_object_ < all.size() && all[next_object_].index == index) ++next_object_;
  return std::span(all).subspan(begin, next_object_ - begin);
}

void LogVerifier::extra(const StoredObject& object, std::string_view why) {
  findings_.add(Verdict::extra, Weight::violated, inventory_.object_key(object), object.index,
                fmt::format("{} Somebody else wrote it here; find out who can write to the bucket.", why));
}

void LogVerifier::judge_leaf(std::uint64_t index, const std::string& text, const std::string& bundle, History& history,
                             ObjectCheck& objects) {
  const auto stored = stored_at(index);
  const auto leaf = parse_leaf(text);
  if (!leaf) {
    findings_.add(Verdict::unreadable, Weight::violated, bundle, index,
                  fmt::format("The tree commits to these bytes, but they are no leaf: {}.", leaf.error().text()));
    chain_.lose(index);
    return history.lost({index, index, {}});
  }
  history.leaf(*leaf, index, bundle);
  if (leaf->kind == LeafKind::key) chain_.offer(*leaf);
  if (index == 0 && chain_.claimed().empty() && !chain_.broken_at())
    findings_.add(Verdict::forked, Weight::violated, bundle, *leaf, "Leaf 0 is not a key leaf signed by its own key.");
  if (chain_.broken_at() == index)
    findings_.add(Verdict::forked, Weight::violated, bundle, *leaf,
                  chain_.break_reason() + " Whoever wrote this leaf did not have the key of the log.");
  const bool names_object = leaf->object && leaf->kind == LeafKind::batch;
  const std::string stem = object_key_stem(inventory_.origin, index);
  if (names_object && !leaf->object->key.starts_with(stem + "."))
    findings_.add(Verdict::modified, Weight::violated, bundle, *leaf,
                  fmt::format("The leaf names the object {}, which is not its own.", leaf->object->key));
  ObjectJob job{names_object ? *leaf : Leaf{}, {}};
  for (const StoredObject& object : stored) {
    if (names_object && inventory_.object_key(object) == leaf->object->key) {
      job.stored.push_back(object.stored);
    } else if (object.stored.latest) {
      extra(object, names_object ? "The leaf of this index names another object." : "No leaf names this object.");
    }
  }
  if (!names_object) return;
  ++objects_;
  objects.submit(std::move(job));
}

void LogVerifier::judge_leaves(TileCheck& tiles, History& history, ObjectCheck& objects) {
  for (std::uint64_t n = 0; n < bundles_of(tree_.size()); ++n) {
    std::vector<LostLeaves> lost;
    const auto texts = tiles.bundle(n, lost);
    const std::string key = bundle_key(n);
    std::size_t next_lost = 0;
    std::uint64_t lost_until = n * kTileWidth;  // leaves before this one have been told as lost
    for (std::uint64_t i = 0; i < texts.size(); ++i) {
      const std::uint64_t index = n * kTileWidth + i;
      for (; next_lost < lost.size() && lost[next_lost].first <= index; ++next_lost) {
        lost_until = std::max(lost_until, lost[next_lost].last + 1);
        chain_.lose(lost[next_lost].first);
        history.lost(std::move(lost[next_lost]));
      }
      if (!texts[i].empty() || index >= lost_until) judge_leaf(index, texts[i], key, history, objects);
    }
  }
}

void LogVerifier::judge_beyond(const TileCheck& tiles) {
  for (const TileId& tile : tiles.strangers())
    findings_.add(Verdict::extra, Weight::violated, tree_.tiles().key(tile),
                  "No tree of this log has such a tile. Somebody else wrote it here.");
  for (const StoredObject& object : inventory_.objects)
    if (object.index >= tree_.size() && object.stored.latest)
      findings_.add(Verdict::pending, Weight::note, inventory_.object_key(object), object.index,
                    "Sent, and not committed to by a checkpoint yet. Nothing is proven about it.");
  if (tiles.beyond_size() <= tree_.size()) return;
  const StoredCheckpoint again = read_checkpoint(source_, inventory_.origin, {});
  if (again.problem.empty() && again.checkpoint.size > tree_.size()) return;
  findings_.add(
      Verdict::truncated, tiles.beyond_is_one_upload() ? Weight::inconclusive : Weight::violated, "", tree_.size(),
      fmt::format("Tiles of {} leaves are stored, but the checkpoint commits only to {}. {}", tiles.beyond_size(),
                  tree_.size(),
                  tiles.beyond_is_one_upload()
                      ? "An upload that is cut short leaves this, and so does who puts an older checkpoint back: "
                        "verify again when the host has sent more, or with the checkpoint that was last seen."
                      : "They are of more than one upload, each of which ended in a checkpoint: an older one was "
                        "put back."));
}

void LogVerifier::never_pass_unproven() {
  if (head_.authentic && head_.proven && tree_.complete()) return;
  if (findings_.worst() >= Weight::inconclusive) return;
  findings_.add(Verdict::unreadable, Weight::inconclusive, inventory_.prefix() + "checkpoint",
                "Nothing signed proves this log.");
}

VerifyProgress LogVerifier::work_ahead() const {
  VerifyProgress total;
  for (const StoredObject& object : inventory_.objects) {
    if (object.index >= tree_.size() || !object.stored.latest) continue;
    ++total.objects;
    total.bytes += object.stored.bytes;
  }
  return total;
}

LogReport LogVerifier::run(std::uint64_t& left_out) {
  read_tree();
  judge_missing_checkpoint();
  TileCheck tiles(tree_, inventory_, findings_);
  History history(inventory_.origin, findings_);
  ObjectCheck objects(source_, options_, clock_, findings_, std::move(allowed_), work_ahead());
  judge_leaves(tiles, history, objects);
  const auto counts = objects.finish();
  history.finish();
  judge_anchor();
  head_.authentic =
      head_.checkpoint &&
      chain_.check(*head_.checkpoint->note, head_.checkpoint->checkpoint.size).is_signed == KeyChain::Signed::yes;
  tiles.upper_tiles();
  check_checkpoints(source_, inventory_, latest_, head_, chain_, tree_, findings_);
  check_last_seen(options_.last_seen, inventory_, head_, chain_, tree_, findings_);
  // Against an older checkpoint everything newer would look like too much.
  if (head_.proven && head_.checkpoint->latest) judge_beyond(tiles);
  if (head_.authentic) history.stale(options_.now_wall_ns, options_.stale_after_ns);
  never_pass_unproven();

  LogReport report;
  report.origin = inventory_.origin;
  report.size = tree_.size();
  report.records = history.records();
  report.objects = objects_;
  report.objects_ok = counts.ok;
  report.object_bytes = counts.bytes;
  report.records_read = counts.records_read;
  report.time_first_ns = history.time_first_ns();
  report.time_last_ns = history.time_last_ns();
  if (head_.authentic && head_.proven) report.checkpoint = head_.checkpoint->bytes;
  left_out += findings_.left_out();
  report.findings = findings_.take();
  return report;
}

/// Logs that the auditor knows of, and that are not here.
void judge_absent_logs(const VerifyOptions& options, const std::map<std::string, Inventory>& logs, Findings& findings) {
  const auto wanted = [&](const std::string& origin) {
    return !logs.contains(origin) && (!options.origin || *options.origin == origin);
  };
  std::set<std::string> gone;
  for (const std::string& bytes : options.last_seen) {
    const auto note = Note::parse(bytes);
    const auto checkpoint = note ? Checkpoint::parse(note->text) : Result<Checkpoint>(Error{Fault::corrupt, "no note"});
    if (!checkpoint || !wanted(checkpoint->origin) || !gone.insert(checkpoint->origin).second) continue;
    findings.add(
        Verdict::truncated, Weight::violated, "v1/" + checkpoint->origin + "/checkpoint", 0,
        fmt::format("The log {} of {} leaves has been seen before; all of it is gone, or this is another bucket.",
                    checkpoint->origin, checkpoint->size));
  }
  for (const NoteVerifier& key : options.keys)
    if (wanted(key.name) && gone.insert(key.name).second)
      findings.add(Verdict::missing, Weight::inconclusive, "v1/" + key.name + "/checkpoint",
                   fmt::format("A key was given for the log {}, which is not here.", key.name));
  if (logs.empty() && gone.empty())
    findings.add(
        Verdict::missing, Weight::inconclusive, "",
        "There is no log here: no key begins with \"v1/<enclave>/<instance>/g<generation>/\". Name the directory "
        "or bucket that holds \"v1\".");
}

Weight worst_of(const std::vector<Finding>& findings) {
  Weight worst = Weight::good;
  for (const Finding& finding : findings) worst = std::max(worst, finding.weight);
  return worst;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::string_view kNames[] = {"OK",         "PENDING",   "MODIFIED", "MISSING", "EXTRA", "EXPIRED",
                                         "UNREADABLE", "TRUNCATED", "FORKED",   "STALE",   "GAP",   "CLOCK"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Weight VerifyReport::weight() const {
  Weight worst = worst_of(findings);
  for (const LogReport& log : logs) worst = std::max(worst, worst_of(log.findings));
  return worst;
}

int VerifyReport::exit_status() const {
  const Weight worst = weight();
  return worst == Weight::violated ? 3 : worst == Weight::inconclusive ? 4 : 0;
}

Result<VerifyReport> verify(LogSource& source, const VerifyOptions& options, Clock& clock) {
  Findings unknown("", options.findings_max);
  const auto logs = TRY(take_inventory(source, options.origin.value_or(""), unknown));
  VerifyReport report;
  report.source = source.name();
  for (const auto& [origin, inventory] : logs)
    report.logs.push_back(LogVerifier(source, inventory, options, clock).run(report.findings_left_out));
  judge_absent_logs(options, logs, unknown);
  report.findings_left_out += unknown.left_out();
  report.findings = unknown.take();
  return report;
}

}  // namespace enclave::archive
