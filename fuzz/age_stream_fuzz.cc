// uses: base crypto
// An age file read by chunks, from its end to its beginning, next to the same file decrypted as a whole: both must say
// the same. The input is taken twice: as a file, and as damage to a file of three chunks.
#include "base/result.h"
#include "crypto/age_stream.h"
#include "crypto/test_random.h"

namespace {
using namespace enclave::crypto;

const AgeIdentity& identity() {
  static const AgeIdentity fixed =
      AgeIdentity::parse(Secret("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")).value();
  return fixed;
}

std::string three_chunks() {
  TestRandom random(1);
  const AgeRecipient recipients[] = {identity().recipient()};
  const auto writer = AgeWriter::begin(recipients, random).value();
  std::string plain(2 * kAgeStreamChunk + 100, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(plain.data()), plain.size()});
  std::string file = writer.preface();
  writer.seal(0, plain, true, file);
  return file;
}

std::size_t number(std::string_view bytes) {
  std::size_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// Six bytes a step: what to do, where (three), and how much (two).
std::string damaged(std::string file, std::string_view script) {
  for (int steps = 0; script.size() >= 6 && steps < 8 && !file.empty(); ++steps, script.remove_prefix(6)) {
    const std::size_t at = number(script.substr(1, 3)) % file.size();
    const std::size_t much = number(script.substr(4, 2));
    const std::size_t chunks = file.size() / kAgeStreamSealedChunk;
    switch (script[0] & 7) {
      case 0:
        file[at] = static_cast<char>(file[at] ^ static_cast<char>(much));
        break;
      case 1:
        file[file.size() - 1 - at % 256] ^= 1;
        break;
      case 2:
        file.resize(at);
        break;
      case 3:
        file.resize(file.size() - std::min(file.size(), much));
        break;
      case 4:
        file.erase(at, much);
        break;
      case 5:
        file.insert(at, much, 'x');
        break;
      case 6:
        file += file.substr(at, much);
        break;
      default:
        // A whole chunk once more: only its number betrays it.
        if (chunks > 0)
          file.insert(file.size() - much % chunks * kAgeStreamSealedChunk, file.substr(at, kAgeStreamSealedChunk));
    }
  }
  return file;
}

enclave::Result<std::string> whole_of(std::string_view file) {
  std::string plain;
  TRY(age_decrypt(file, std::span(&identity(), 1), [&](std::string_view piece) -> enclave::Result<void> {
    plain += piece;
    return {};
  }));
  return plain;
}

enclave::Result<std::string> by_chunks(std::string_view file) {
  const auto reader = TRY(AgeReader::begin(file, file.size(), std::span(&identity(), 1)));
  ENSURE(reader.chunks() > 0 && reader.offset_of(0) == reader.preface_bytes());
  ENSURE(reader.offset_of(reader.chunks()) == file.size());
  std::string plain(reader.plain_bytes(), '\0');
  for (std::uint64_t chunk = reader.chunks(); chunk-- > 0;) {
    const std::uint64_t from = reader.offset_of(chunk);
    const std::string_view sealed = file.substr(from, reader.offset_of(chunk + 1) - from);
    std::string out = "kept";
    const auto opened = reader.open(chunk, sealed, out);
    ENSURE(out.starts_with("kept") && (opened || out.size() == 4));
    TRY(opened);
    ENSURE(out.size() - 4 + 16 == sealed.size());
    plain.replace(chunk * kAgeStreamChunk, out.size() - 4, out, 4, out.npos);
  }
  ENSURE(plain.size() == reader.plain_bytes());
  return plain;
}

void check(std::string_view file) {
  const auto whole = whole_of(file);
  const auto parts = by_chunks(file);
  ENSURE(whole.has_value() == parts.has_value());
  if (whole) ENSURE(*whole == *parts);
  // A store that tells another length than that of what it gives.
  for (const std::uint64_t lie : {file.size() + 1, file.size() + kAgeStreamSealedChunk, std::size_t{0} - 1}) {
    const auto reader = AgeReader::begin(file, lie, std::span(&identity(), 1));
    if (!reader) continue;
    ENSURE(reader->plain_bytes() < lie && reader->offset_of(reader->chunks()) == lie);
    std::string out;
    (void)reader->open(0, file.substr(reader->preface_bytes()), out);
    ENSURE(out.size() <= file.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kBase = three_chunks();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check(damaged(kBase, input));
  return 0;
}
