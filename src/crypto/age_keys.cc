#include <algorithm>

#include "base/encoding.h"
#include "crypto/age.h"
#include "crypto/bech32.h"
#include "crypto/x25519.h"

namespace enclave::crypto {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kIdentitiesMax = 1024;  // each is tried on each stanza of a file

bool begins_with_any_case(std::string_view text, std::string_view upper_case) {
  return text.size() >= upper_case.size() &&
         std::equal(upper_case.begin(), upper_case.end(), text.begin(),
                    [](char a, char b) { return a == (b >= 'a' && b <= 'z' ? b - 'a' + 'A' : b); });
}

}  // namespace

Result<AgeRecipient> AgeRecipient::parse(std::string_view text) {
  if (begins_with_any_case(text, kIdentityPrefix))
    return Error{Fault::invalid,
                 "an identity (AGE-SECRET-KEY-1…) stands where a recipient (age1…) belongs; it is a "
                 "secret, so take it away from here, and give what age-keygen -y prints for it"};
  auto bytes = from_bech32(kRecipientPrefix, text);
  if (!bytes) return std::move(bytes).error().within("not an age recipient");
  if (bytes->size() != kKeyBytes)
    return Error{Fault::invalid, "not an age recipient: it holds {} bytes, not {}", bytes->size(), kKeyBytes};
  AgeRecipient recipient;
  std::copy(bytes->begin(), bytes->end(), recipient.point_.begin());
  if (!x25519(Secret(std::string(kKeyBytes, '\1')), recipient.point_))
    return Error{Fault::invalid, "not an age recipient: its point is of low order, so anyone could read"};
  return recipient;
}

std::string AgeRecipient::text() const { return to_bech32(kRecipientPrefix, bytes_of(point_)); }

AgeIdentity AgeIdentity::generate(Random& random) {
  std::array<std::uint8_t, kKeyBytes> bytes;
  random.fill(bytes);
  AgeIdentity identity;
  identity.scalar_ = Secret(std::string(bytes.begin(), bytes.end()));
  wipe(bytes.data(), bytes.size());
  identity.recipient_.point_ = x25519_public(identity.scalar_);
  return identity;
}

Result<AgeIdentity> AgeIdentity::parse(const Secret& text) {
  auto bytes = from_bech32(kIdentityPrefix, text.reveal());
  if (!bytes) return std::move(bytes).error().within("not an age identity");
  Secret scalar(std::move(*bytes));
  if (scalar.size() != kKeyBytes)
    return Error{Fault::invalid, "not an age identity: it holds {} bytes, not {}", scalar.size(), kKeyBytes};
  AgeIdentity identity;
  identity.scalar_ = std::move(scalar);
  identity.recipient_.point_ = x25519_public(identity.scalar_);
  return identity;
}

Result<std::vector<AgeIdentity>> AgeIdentity::parse_file(const Secret& text) {
  std::vector<AgeIdentity> identities;
  std::string_view rest = text.reveal();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (identities.size() == kIdentitiesMax)
      return Error{Fault::limit, "line {}: more than {} identities", number, kIdentitiesMax};
    if (line.starts_with("AGE-PLUGIN-") || line.starts_with("AGE-SECRET-KEY-PQ-") || line.starts_with("-----BEGIN"))
      return Error{Fault::unsupported, "line {}: only identities of the form AGE-SECRET-KEY-1… can be used", number};
    if (line.starts_with("age1"))
      return Error{Fault::invalid, "line {}: a recipient (public) stands where an identity (AGE-SECRET-KEY-1…) belongs",
                   number};
    auto identity = parse(Secret(std::string(line)));
    if (!identity) return std::move(identity).error().within(fmt::format("line {}", number));
    identities.push_back(std::move(*identity));
  }
  if (identities.empty()) return Error{Fault::invalid, "it holds no identity (a line AGE-SECRET-KEY-1…)"};
  return identities;
}

Secret AgeIdentity::text() const { return Secret(to_bech32(kIdentityPrefix, scalar_.reveal())); }

}  // namespace enclave::crypto
