#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/leaf.h"
#include "archive/leaf_file.h"
#include "archive/log.h"
#include "archive/note.h"
#include "archive/tiles.h"
#include "base/ports.h"
#include "crypto/ed25519.h"

/// One generation of a log: the files of docs/formats/log-layout.md, "In the state directory", and what they say.
/// log.cc decides which generation is written; this knows how one is read, continued and made.
namespace enclave::archive {

/// Where a generation's files are, and what its objects are called.
struct GenerationPlace {
  std::string state;   ///< the state directory
  std::string name;    ///< "<enclave>/<instance>"
  std::string suffix;  ///< of object keys
  std::uint64_t number = 1;

  std::string origin() const { return fmt::format("{}/g{}", name, number); }
  std::string log_directory() const { return fmt::format("{}/log/{}", state, number); }
  std::string outbox_directory() const { return fmt::format("{}/outbox/{}", state, number); }
  std::string file(std::string_view called) const { return fmt::format("{}/{}", log_directory(), called); }
  std::string outbox_file(std::uint64_t index) const { return fmt::format("{}/{}", outbox_directory(), index); }
  std::string object_key(std::uint64_t index) const { return fmt::format("v1/{}/b/{:020}{}", origin(), index, suffix); }
};

/// `log/current`.
struct Current {
  std::uint64_t number = 1;
  std::string name;
  std::string boot_id;
  std::string text() const { return fmt::format("{}\n{}\n{}\n", number, name, boot_id); }
  static Result<Current> parse(std::string_view text);
};

/// A part of an origin: other characters than A-Z a-z 0-9 . _ - become "-", and so does a dot at the beginning, which
/// would hide the log in a file store; at most 64 characters. Fault::invalid when it is empty.
Result<std::string> origin_part(std::string_view text);

/// A small file, whole. Fault::corrupt when it is too large to be what was written; of the other faults only absent
/// says something about the file itself.
Result<std::string> read_small(Files& files, const std::string& path);
/// The file is gone or not what was written, as opposed to: cannot be read now.
inline bool is_lost(const Error& error) { return error.fault() == Fault::absent || error.fault() == Fault::corrupt; }

/// When a leaf that the log makes itself came about.
struct Moment {
  std::string boot_id;
  std::int64_t boot_ns = 0;
  std::int64_t wall_ns = 0;
};
Leaf leaf_at(const Moment& moment, LeafKind kind);

/// A leaf of an older generation that the next one repeats, and the outbox file of its object, if it has one.
struct Carried {
  Leaf leaf;
  std::optional<std::string> object_file;
};

struct Generation {
  GenerationPlace place;
  Files& files;
  std::unique_ptr<LeafFile> leaves;
  TileTree tree;
  std::uint64_t last_seq = 0;
  std::int64_t last_wall_ns = 0;
  std::uint64_t published = 0;
  std::map<std::uint64_t, LeafObject> pending;
  std::uint64_t outbox_bytes = 0;

  std::optional<crypto::Ed25519PrivateKey> key;
  std::vector<std::string> vkeys;  ///< of all key leaves, in order; the first is the trust anchor
  std::uint64_t key_index = 0;     ///< of the newest key leaf
  std::string key_boot_id;         ///< of the newest key leaf
  std::string boot_boot_id;        ///< of the newest boot leaf
  std::optional<Note> note;        ///< the checkpoint on the disk
  std::uint64_t note_size = 0;

  Generation(Files& files_port, GenerationPlace where) : place(std::move(where)), files(files_port) {}

  Generation(const Generation&) = delete;

  /// Takes a leaf that is in the file into account.
  void learn(const Leaf& leaf, std::string_view text);
  /// The leaf and its object are on the disk when it returns; the checkpoint is not written. See Log::append.
  Result<std::uint64_t> commit(Leaf leaf, std::string_view object);
  /// commit() and, as far as the disk allows, the checkpoint.
  Result<std::uint64_t> append(Leaf leaf, std::string_view object);
  /// Signs and writes the checkpoint of the whole tree; `also` signs as well.
  Result<void> write_checkpoint(const crypto::Ed25519PrivateKey* also = nullptr);
  bool checkpoint_is_due() const { return note_size != tree.size(); }
  Note signed_checkpoint(std::uint64_t size) const;
  std::string vkey_of(const crypto::Ed25519PrivateKey& private_key) const {
    return NoteVerifier::of(place.origin(), private_key.public_key()).text();
  }
  Result<Leaf> leaf(std::uint64_t index);
};

/// A generation as it was found on the disk.
struct Loaded {
  std::unique_ptr<Generation> generation;
  /// Why it cannot be continued; empty when it can. Then `generation` has what is before the damage, and no leaf file.
  std::string damage;
  bool set_aside = false;  ///< the leaf file itself is not what was written
  /// What is known of its end: the last good checkpoint, or else the leaves before the damage.
  std::uint64_t size = 0;
  Digest root{};
  /// Where the frames of the leaves begin: those before the damage, and by their index those behind it.
  std::vector<std::uint64_t> offsets;
  std::map<std::uint64_t, std::uint64_t> salvaged;
  /// Objects in the outbox that can be sent no more: their leaf cannot be read, or they are not what the leaf says.
  std::vector<std::uint64_t> orphans;
  std::vector<std::uint64_t> spoiled;
  std::vector<std::uint64_t> spoiled_before;  ///< set aside already; this generation has their gap leaf

  std::optional<std::uint64_t> offset_of(std::uint64_t index) const {
    if (index < offsets.size()) return offsets[index];
    const auto found = salvaged.find(index);
    if (found == salvaged.end()) return std::nullopt;
    return found->second;
  }
  bool has_leaves() const { return !offsets.empty() || !salvaged.empty(); }
};

/// Reads a generation. Fails only for what may pass: the disk does not obey. Leftovers of what was not committed are
/// removed, and a key rotation that was cut short is finished.
Result<Loaded> load_generation(Files& files, const GenerationPlace& place, Notices& notices);

/// What the generation leaves to the next one: see Log::fork. What can be sent no more becomes gap leaves of `moment`.
Result<std::vector<Carried>> carried_from(const Loaded& loaded, const Moment& moment);
inline constexpr std::string_view kSpoiledReason =
    "the sealed object was damaged on this machine before the store had it";
/// A gap leaf over the records of `lost`.
Leaf gap_over(const Leaf& lost, const Moment& moment, std::string reason);

struct Beginning {
  Moment moment;
  std::string previous;  ///< as in Leaf; empty for the first generation
  std::string reason;
  std::vector<Carried> carried;
  std::uint64_t last_seq = 0;
};
/// Makes a generation with its key, fork and boot leaves and what is carried over; `log/current` is the last thing
/// written, so that a crash before leaves the older generation in force. After a failure `log/current` may name either;
/// both are whole then.
Result<std::unique_ptr<Generation>> begin_generation(World world, const GenerationPlace& place,
                                                     const Beginning& beginning);

Result<void> write_current(Files& files, const GenerationPlace& place, const std::string& boot_id);
/// Removes what a begin_generation that failed left behind; only when `log/current` names another one.
void discard_generation(Files& files, const GenerationPlace& place);

/// A new signing key: key leaf under both keys, checkpoint under both, then the old key is erased.
Result<void> rotate_key(Generation& generation, Random& random, const Moment& moment);
/// Finds the key that the newest key leaf names, and ends a rotation that was cut short. Fault::absent when no file has
/// it; it is needed to go on.
Result<void> load_key(Generation& generation);
/// Of the signing-key file, whatever the leaves say. Faults as read_small.
Result<std::string> vkey_on_disk(const Generation& generation);
/// Makes the key file unreadable, then removes it. One that is not there is fine.
Result<void> erase_key(Files& files, const std::string& path);

}  // namespace enclave::archive
