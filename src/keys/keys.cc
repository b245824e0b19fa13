#include "keys/keys.h"

#include <algorithm>

#include "base/files.h"
#include "base/time.h"

namespace enclave::keys {
namespace {

using crypto::AgeIdentity;
using crypto::AgeRecipient;
using crypto::Secret;

constexpr std::size_t kSpoolKeyBytes = 32;
constexpr std::size_t kIdentityFileBytesMax = 128 << 10;
constexpr std::size_t kRecipientsMax = 64;  // of age_encrypt

enum class Readers { owner_only, any };

// The mode is that of the opened file, so nobody can exchange the file between the check and the reading.
Result<Secret> read_secret(Files& files, const std::string& path, std::size_t bytes_max, Readers readers) {
  auto file = TRY(files.open(path));
  const std::uint32_t mode = TRY(file->info()).mode;
  if (readers == Readers::owner_only && (mode & 077) != 0)
    return Error{Fault::denied, "{} holds a secret and is open to others (mode {:04o}); run: chmod 600 '{}'", path,
                 mode & 07777, path};
  // Of its full size from the start, so that growing leaves no copy of the secret behind.
  std::string bytes(bytes_max + 1, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    auto got = file->read_at(filled, std::span<char>(bytes).subspan(filled));
    if (!got) {
      crypto::wipe(bytes.data(), bytes.size());
      return std::move(got).error();
    }
    if (*got == 0) break;
    filled += *got;
  }
  bytes.resize(filled);
  Secret secret(std::move(bytes));
  if (filled > bytes_max) return Error{Fault::limit, "{}: more than {} bytes", path, bytes_max};
  return secret;
}

bool is_absent(const auto& result) { return !result && result.error().fault() == Fault::absent; }

Result<Secret> read_spool_key(Files& files, const std::string& path, Readers readers) {
  auto key = read_secret(files, path, kSpoolKeyBytes, readers);
  if (!key && key.error().fault() != Fault::limit) return key;
  if (key && key->size() == kSpoolKeyBytes) return key;
  return Error{Fault::corrupt,
               "{} must hold exactly {} bytes, the key of the spool; put back the right file, or move it away: "
               "what the spool still holds can then not be read",
               path, kSpoolKeyBytes};
}

// As age-keygen writes it.
Secret identity_file(const AgeIdentity& identity, Clock& clock) {
  const std::string created = format_time(clock.wall_ns()).substr(0, 19) + "Z";
  std::string text = fmt::format("# created: {}\n# public key: {}\n", created, identity.recipient().text());
  const Secret secret = identity.text();
  text.reserve(text.size() + secret.size() + 1);  // so that growing leaves no copy of the secret behind
  text.append(secret.reveal()).push_back('\n');
  return Secret(std::move(text));
}

Result<std::vector<AgeIdentity>> read_identities(Files& files, const std::string& path, Readers readers) {
  const Secret text = TRY(read_secret(files, path, kIdentityFileBytesMax, readers));
  auto identities = AgeIdentity::parse_file(text);
  if (!identities) return std::move(identities).error().within(path);
  return identities;
}

}  // namespace

Result<Secret> load_or_make_spool_key(Files& files, const std::string& state_directory,
                                      const std::string& credentials_directory, Random& random) {
  if (!credentials_directory.empty()) {
    // systemd opens its credentials to the service by an access list, which shows as permission of the group.
    auto given = read_spool_key(files, join_path(credentials_directory, "enclave.spool-key"), Readers::any);
    if (!is_absent(given)) return given;
  }
  const std::string path = join_path(state_directory, "spool.key");
  auto found = read_spool_key(files, path, Readers::owner_only);
  if (!is_absent(found)) return found;
  std::string bytes(kSpoolKeyBytes, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  Secret key(std::move(bytes));
  TRY(create_file(files, path, key.reveal()));
  return key;
}

Result<OwnIdentity> load_or_make_identity(Files& files, const std::string& path, Random& random, Clock& clock) {
  auto found = read_identities(files, path, Readers::owner_only);
  if (is_absent(found)) {
    const AgeIdentity identity = AgeIdentity::generate(random);
    TRY(make_directories(files, parent_of(path)));
    TRY(create_file(files, path, identity_file(identity, clock).reveal()));
    OwnIdentity made;
    made.recipients.push_back(identity.recipient());
    made.made_now = true;
    return made;
  }
  if (!found) return std::move(found).error();
  if (found->size() > kRecipientsMax)
    return Error{Fault::limit, "{}: {} identities, at most {} can be encrypted to", path, found->size(),
                 kRecipientsMax};
  OwnIdentity own;
  for (const auto& identity : *found) own.recipients.push_back(identity.recipient());
  return own;
}

Result<std::vector<AgeIdentity>> load_identities(Files& files, const std::string& path) {
  return read_identities(files, path, Readers::any);
}

Result<std::vector<AgeRecipient>> parse_recipients(std::span<const std::string> texts) {
  std::vector<AgeRecipient> recipients;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto recipient = AgeRecipient::parse(texts[i]);
    if (!recipient) return std::move(recipient).error().within(fmt::format("recipient {} of {}", i + 1, texts.size()));
    if (std::find(recipients.begin(), recipients.end(), *recipient) == recipients.end())
      recipients.push_back(*recipient);
    if (recipients.size() > kRecipientsMax) return Error{Fault::limit, "more than {} recipients", kRecipientsMax};
  }
  if (recipients.empty()) return Error{Fault::invalid, "no recipient is given"};
  return recipients;
}

}  // namespace enclave::keys
