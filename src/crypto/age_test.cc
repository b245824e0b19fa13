#include "crypto/age.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/test_random.h"

namespace enclave::crypto {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::size_t kChunk = 64 << 10;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of tests/golden/age; make.py there says how it is written.
struct Vector {
  std::string name;
  std::multimap<std::string, std::string> meta;
  std::string file;

  std::string get(const std::string& key) const {
    const auto found = meta.find(key);
    return found == meta.end() ? "" : found->second;
  }
  std::vector<AgeIdentity> identities() const {
    std::vector<AgeIdentity> all;
    for (auto [at, end] = meta.equal_range("identity"); at != end; ++at)
      all.push_back(AgeIdentity::parse(Secret(at->second)).value());
    return all;
  }
};

Vector read_vector(const fs::path& path) {
  Vector vector{path.stem(), {}, {}};
  std::ifstream lines(path);
  bool body = false;
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    const std::string key = line.substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
    if (line.empty())
      body = true;
    else if (!body)
      vector.meta.emplace(key, value);
    else if (key == "text")
      vector.file += value + "\n";
    else if (key == "hex")
      vector.file += from_hex(value).value();
    else
      vector.file += content_of(path.parent_path() / value);
  }
  return vector;
}

std::vector<Vector> vectors() {
  std::vector<Vector> all;
  for (const auto& entry : fs::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/age"))
    if (entry.path().extension() == ".txt") all.push_back(read_vector(entry.path()));
  return all;
}

struct Opened {
  Result<void> result;
  std::string plain;
};
Opened open(std::string_view file, std::span<const AgeIdentity> identities) {
  std::string plain;
  auto result = age_decrypt(file, identities, [&](std::string_view piece) -> Result<void> {
    EXPECT_LE(piece.size(), kChunk);
    plain += piece;
    return {};
  });
  return {std::move(result), std::move(plain)};
}

TEST(Age, EveryVectorIsOpenedOrRefusedAsItSays) {
  const auto all = vectors();
  ASSERT_GE(all.size(), 80U);
  for (const auto& vector : all) {
    SCOPED_TRACE(vector.name);
    const std::string expect = vector.get("expect");
    const auto [result, plain] = open(vector.file, vector.identities());
    const std::string text = result ? "" : result.error().text();
    EXPECT_EQ(result.has_value(), expect == "success") << text;
    if (vector.meta.contains("payload")) {
      EXPECT_EQ(to_hex(bytes_of(sha256(plain))), vector.get("payload")) << text;
    } else {
      EXPECT_EQ(plain, "");
    }
    if (result) continue;
    EXPECT_EQ(result.error().fault(), expect == "no match" ? Fault::denied : Fault::corrupt) << text;
    if (expect == "payload failure") {
      EXPECT_THAT(text, HasSubstr("age payload"));
    }
    if (expect == "HMAC failure") {
      EXPECT_THAT(text, HasSubstr("its MAC does not fit"));
    }
  }
}

TEST(Age, GivesTheBytesBackForEverySizeAndAnyParts) {
  TestRandom random(21);
  const auto identity = AgeIdentity::generate(random);
  std::string plain(3 * kChunk + 1, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(plain.data()), plain.size()});
  std::mt19937 cuts(22);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk + 1}) {
    const std::string_view all = std::string_view(plain).substr(0, size);
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at < size;) {
      const std::size_t length = cuts() % 40000;  // some of them empty, some across chunks
      parts.push_back(all.substr(at, length));
      at += parts.back().size();
    }
    parts.emplace_back();
    const std::string file = age_encrypt(std::span(&identity.recipient(), 1), parts, random).value();
    EXPECT_EQ(file.size(), parse_age_header(file).value().bytes + age_payload_bytes(size));
    EXPECT_TRUE(age_decrypt(file, std::span(&identity, 1)).value() == all) << size;
  }
}

TEST(Age, EachRecipientReadsAndNobodyElse) {
  TestRandom random(31);
  std::vector<AgeIdentity> identities;
  std::vector<AgeRecipient> recipients;
  for (int i = 0; i < 5; ++i) {
    identities.push_back(AgeIdentity::generate(random));
    if (i < 4) recipients.push_back(identities.back().recipient());
  }
  const std::string_view parts[] = {"plain", " text"};
  const std::string file = age_encrypt(recipients, parts, random).value();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(age_decrypt(file, std::span(&identities[i], 1)).value(), "plain text");
  const auto refused = age_decrypt(file, std::span(&identities[4], 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().fault(), Fault::denied);
  EXPECT_EQ(refused.error().text(),
            "no identity fits: recipients: 4 of type X25519 (the header does not name them); identities given: " +
                identities[4].recipient().text());
  EXPECT_THAT(age_decrypt(file, {}).error().text(), HasSubstr("identities given: none"));
}

TEST(Age, TwoFilesOfTheSameTextShareNothing) {
  TestRandom random(41);
  const auto identity = AgeIdentity::generate(random);
  const std::string_view parts[] = {"the same text"};
  const std::string one = age_encrypt(std::span(&identity.recipient(), 1), parts, random).value();
  const std::string two = age_encrypt(std::span(&identity.recipient(), 1), parts, random).value();
  EXPECT_NE(parse_age_header(one)->stanzas[0].arguments, parse_age_header(two)->stanzas[0].arguments);
  EXPECT_NE(one.substr(one.size() - 45), two.substr(two.size() - 45));
}

TEST(Age, NoRecipientAndTooManyAreRefused) {
  TestRandom random(51);
  const auto identity = AgeIdentity::generate(random);
  const std::string_view parts[] = {"text"};
  EXPECT_EQ(age_encrypt({}, parts, random).error().fault(), Fault::invalid);
  const std::vector<AgeRecipient> many(65, identity.recipient());
  EXPECT_EQ(age_encrypt(many, parts, random).error().fault(), Fault::limit);
  EXPECT_TRUE(age_encrypt(std::span(many).first(64), parts, random));
  const AgeRecipient nobody;  // its point is zero
  EXPECT_EQ(age_encrypt(std::span(&nobody, 1), parts, random).error().fault(), Fault::invalid);
}

TEST(Age, EveryChangedOrMissingByteIsFound) {
  TestRandom random(61);
  const auto identity = AgeIdentity::generate(random);
  const std::string_view parts[] = {"some plain text"};
  const std::string file = age_encrypt(std::span(&identity.recipient(), 1), parts, random).value();
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const char bit : {'\x01', '\x80'}) {
      std::string changed = file;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      const auto [result, plain] = open(changed, std::span(&identity, 1));
      EXPECT_FALSE(result.has_value()) << i;
      EXPECT_EQ(plain, "") << i;
    }
    EXPECT_FALSE(open(file.substr(0, i), std::span(&identity, 1)).result.has_value()) << i;
    EXPECT_FALSE(open(file + file.substr(0, i + 1), std::span(&identity, 1)).result.has_value()) << i;
  }
}

TEST(Age, TheTakersErrorIsGivenBack) {
  TestRandom random(71);
  const auto identity = AgeIdentity::generate(random);
  const std::string plain(2 * kChunk, 'a');
  const std::string_view parts[] = {plain};
  const std::string file = age_encrypt(std::span(&identity.recipient(), 1), parts, random).value();
  int calls = 0;
  const auto result = age_decrypt(file, std::span(&identity, 1), [&](std::string_view) -> Result<void> {
    ++calls;
    return Error{Fault::busy, "not now"};
  });
  EXPECT_EQ(result.error().fault(), Fault::busy);
  EXPECT_EQ(calls, 1);
}

TEST(AgeHeader, SaysWhatIsWrongAndInWhichLine) {
  const auto error_of = [](std::string_view file) { return parse_age_header(file).error().text(); };
  EXPECT_EQ(error_of(""), "not an age file: it does not begin with \"age-encryption.org/v1\"");
  EXPECT_EQ(error_of("age-encryption.org/v1\n"), "age header: the file ends in line 2");
  EXPECT_EQ(error_of("age-encryption.org/v2\n"),
            "age header, line 1: not version 1 of age, the only one that can be read");
  EXPECT_THAT(error_of("age-encryption.org/v1\n-> a\nAAB\n"), HasSubstr("line 3: "));
  EXPECT_THAT(error_of("age-encryption.org/v1\n" + std::string(70000, 'a')), HasSubstr("longer than the 65536 bytes"));
}

TEST(AgeHeader, HoldsWhatTheFileSays) {
  for (const auto& vector : vectors()) {
    if (vector.name != "stanza_valid_characters") continue;
    const auto header = parse_age_header(vector.file).value();
    ASSERT_EQ(header.stanzas.size(), 3U);
    EXPECT_EQ(header.stanzas[1].type, "!\"#$%&'");
    EXPECT_EQ(header.stanzas[2].arguments.back(), "xyz{|}~");
    EXPECT_EQ(header.stanzas[0].body.size(), 32U);
    EXPECT_EQ(vector.file.substr(header.mac_bytes - 4, 5), "\n--- ");
    EXPECT_EQ(vector.file[header.bytes - 1], '\n');
  }
}

/// Debian's age, in a directory of its own.
class AgeProgram : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "enclave-age-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_EQ(run("age --version > version && age-keygen -h 2> help; command -v age-keygen > keygen"), 0)
        << "the programs age and age-keygen are not on the PATH; install Debian's package age";
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
  }
  int run(const std::string& command) const {
    // tidy: allow shell: the test's own directory and fixed words only
    return std::system(fmt::format("cd '{}' && {}", directory_.string(), command).c_str());
  }
  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }
  std::string read(const std::string& name) const { return content_of(directory_ / name); }
  /// Made by age-keygen.
  AgeIdentity new_identity(const std::string& name) const {
    EXPECT_EQ(run(fmt::format("age-keygen -o {} 2> /dev/null", name)), 0);
    auto identities = AgeIdentity::parse_file(Secret(read(name)));
    EXPECT_TRUE(identities.has_value());
    return std::move(identities->at(0));
  }

 private:
  fs::path directory_;
};

constexpr std::size_t kSizes[] = {0, 1, 65535, 65536, 65537, (1 << 20) + 3};

std::string some_bytes(std::size_t size) {
  TestRandom random(81);
  std::string bytes(size, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

TEST_F(AgeProgram, ReadsWhatWeWrite) {
  TestRandom random(91);
  const AgeIdentity recipients_identities[] = {new_identity("a"), new_identity("b"), AgeIdentity::generate(random)};
  write("c", fmt::format("{}\n", recipients_identities[2].text().reveal()));
  std::vector<AgeRecipient> recipients;
  for (const auto& identity : recipients_identities) recipients.push_back(identity.recipient());
  for (const std::size_t size : kSizes) {
    const std::string plain = some_bytes(size);
    const std::string_view parts[] = {plain};
    write("file.age", age_encrypt(recipients, parts, random).value());
    for (const auto* name : {"a", "b", "c"}) {
      EXPECT_EQ(run(fmt::format("age -d -i {} file.age > plain", name)), 0);
      EXPECT_TRUE(read("plain") == plain) << size << " bytes, identity " << name;
    }
  }
}

TEST_F(AgeProgram, WritesWhatWeRead) {
  const AgeIdentity a = new_identity("a");
  const AgeIdentity b = new_identity("b");
  for (const std::size_t size : kSizes) {
    const std::string plain = some_bytes(size);
    write("plain", plain);
    ASSERT_EQ(run(fmt::format("age -r {} -r {} -o file.age plain", a.recipient().text(), b.recipient().text())), 0);
    for (const auto* identity : {&a, &b})
      EXPECT_TRUE(age_decrypt(read("file.age"), std::span(identity, 1)).value() == plain);
  }
}

TEST_F(AgeProgram, DerivesTheSameRecipientFromAnIdentity) {
  TestRandom random(101);
  const auto identity = AgeIdentity::generate(random);
  write("identity", fmt::format("{}\n", identity.text().reveal()));
  EXPECT_EQ(run("age-keygen -y identity > recipient"), 0);
  EXPECT_EQ(read("recipient"), identity.recipient().text() + "\n");
}

TEST_F(AgeProgram, AgreesWithUsOnEveryVector) {
  // age 1.1 looks for a passphrase beside other recipients only when it was given one, and its header has no limit.
  const std::set<std::string> stricter_than_age = {"scrypt_and_x25519", "header_too_long"};
  for (const auto& vector : vectors()) {
    if (stricter_than_age.contains(vector.name)) continue;
    std::string identities = "# identities\n";
    for (const auto& identity : vector.identities()) identities += fmt::format("{}\n", identity.text().reveal());
    write("identities", identities);
    write("file.age", vector.file);
    const bool opened = run("age -d -i identities file.age > plain 2> error") == 0;
    EXPECT_EQ(opened, vector.get("expect") == "success") << vector.name;
    const std::string payload = vector.get("payload");
    if (!payload.empty()) {
      EXPECT_EQ(to_hex(bytes_of(sha256(read("plain")))), payload) << vector.name;
    }
  }
}

}  // namespace
}  // namespace enclave::crypto
