#include "archive/generation.h"
#include "base/encoding.h"
#include "base/files.h"

/// Signing keys on the disk: how one replaces the other without a moment in which none can sign.
namespace enclave::archive {
namespace {

constexpr std::size_t kSeedBytes = 32;

Result<crypto::Ed25519PrivateKey> read_key(Files& files, const std::string& path) {
  crypto::Secret seed(TRY(read_small(files, path)));
  if (seed.size() != kSeedBytes) return Error{Fault::corrupt, "{} is not a key", path};
  return crypto::Ed25519PrivateKey::from_seed(std::move(seed));
}

Result<void> overwrite_key(Files& files, const std::string& path) {
  auto file = TRY(files.create(path, Create::keep));
  TRY(file->write_at(0, std::string(kSeedBytes, '\0')));
  return file->sync();
}

// The checkpoint under both keys is on the disk: the old key has no more use.
Result<void> finish_rotation(Generation& generation) {
  Files& files = generation.files;
  const std::string path = generation.place.file("signing-key");
  TRY(overwrite_key(files, path));
  TRY(files.rename(path + ".new", path));
  return files.sync_directory(generation.place.log_directory());
}

}  // namespace

Result<std::string> vkey_on_disk(const Generation& generation) {
  return generation.vkey_of(TRY(read_key(generation.files, generation.place.file("signing-key"))));
}

Result<void> erase_key(Files& files, const std::string& path) {
  if (auto found = files.info(path, false); !found) {
    if (found.error().fault() == Fault::absent) return {};
    return std::move(found).error();
  }
  TRY(overwrite_key(files, path));
  return files.remove(path);
}

Result<void> load_key(Generation& generation) {
  const std::string path = generation.place.file("signing-key");
  const std::string& wanted = generation.vkeys.back();
  auto key = read_key(generation.files, path);
  if (!key && !is_lost(key.error())) return std::move(key).error();
  if (key && generation.vkey_of(*key) == wanted) {
    generation.key = std::move(*key);
    // A rotation that was cut before its leaf: nobody has heard of its key.
    return erase_key(generation.files, path + ".new");
  }
  auto fresh = read_key(generation.files, path + ".new");
  if (!fresh && !is_lost(fresh.error())) return std::move(fresh).error();
  if (!fresh || generation.vkey_of(*fresh) != wanted)
    return Error{Fault::absent, "{} is not the key that the log's newest key leaf names", path};
  const bool old_is_there =
      key && generation.vkeys.size() > 1 && generation.vkey_of(*key) == generation.vkeys[generation.vkeys.size() - 2];
  generation.key = std::move(*fresh);
  if (generation.note_size <= generation.key_index) TRY(generation.write_checkpoint(old_is_there ? &*key : nullptr));
  return finish_rotation(generation);
}

Result<void> rotate_key(Generation& generation, Random& random, const Moment& moment) {
  crypto::Ed25519PrivateKey fresh = crypto::Ed25519PrivateKey::generate(random);
  TRY(replace_file(generation.files, generation.place.file("signing-key") + ".new", fresh.seed().reveal()));
  Leaf leaf = leaf_at(moment, LeafKind::key);
  leaf.origin = generation.place.origin();
  leaf.index = generation.tree.size();
  leaf.vkey = generation.vkey_of(fresh);
  const std::string part = signed_part_of(leaf);
  leaf.signatures.push_back({generation.vkey_of(*generation.key), std::string(bytes_of(generation.key->sign(part)))});
  leaf.signatures.push_back({leaf.vkey, std::string(bytes_of(fresh.sign(part)))});
  TRY(generation.commit(std::move(leaf), {}));
  TRY(generation.write_checkpoint(&fresh));
  generation.key = std::move(fresh);
  return finish_rotation(generation);
}

}  // namespace enclave::archive
