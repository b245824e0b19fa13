#include "keys/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "base/files.h"

namespace enclave::keys {
namespace {

using crypto::AgeIdentity;
using crypto::Secret;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Regular files in memory, with modes: what key files need of a file system.
class MemoryFiles : public Files {
 public:
  struct Content {
    std::string bytes;
    std::uint32_t mode = 0600;
  };
  std::map<std::string, Content> files;
  std::map<std::string, bool> directories{{"/", true}, {"/state", true}, {".", true}};

  Result<std::unique_ptr<File>> open(const std::string& path) override {
    if (!files.contains(path)) return Error{Fault::absent, "{}: no such file", path};
    return std::unique_ptr<File>(new Open(files[path]));
  }
  Result<std::unique_ptr<File>> create(const std::string& path, Create) override {
    if (!directories.contains(parent_of(path))) return Error{Fault::absent, "{}: no such directory", path};
    files[path] = {};
    return std::unique_ptr<File>(new Open(files[path]));
  }
  Result<FileInfo> info(const std::string& path, bool) override {
    if (files.contains(path)) return FileInfo{.id = {}, .mode = files[path].mode};
    if (directories.contains(path)) return FileInfo{.id = {}, .kind = FileKind::directory};
    return Error{Fault::absent, "{}: no such file", path};
  }
  Result<std::vector<DirectoryEntry>> list(const std::string&) override { return std::vector<DirectoryEntry>{}; }
  Result<void> make_directory(const std::string& path) override {
    directories[path] = true;
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    files[to] = files[from];
    return remove(from);
  }
  Result<void> link(const std::string& from, const std::string& to) override {
    if (files.contains(to)) return Error{Fault::conflict, "{} exists", to};
    files[to] = files[from];
    return {};
  }
  Result<void> remove(const std::string& path) override {
    files.erase(path);
    return {};
  }
  Result<void> sync_directory(const std::string&) override { return {}; }
  std::unique_ptr<Watcher> watcher() override { return nullptr; }

 private:
  class Open : public File {
   public:
    explicit Open(Content& content) : content_(content) {}
    // One byte at a time, as a file system may.
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      if (offset >= content_.bytes.size() || into.empty()) return std::size_t{0};
      into[0] = content_.bytes[offset];
      return std::size_t{1};
    }
    Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
      content_.bytes.resize(offset);
      content_.bytes += bytes;
      return {};
    }
    Result<void> sync() override { return {}; }
    Result<void> truncate(std::uint64_t bytes) override {
      content_.bytes.resize(bytes);
      return {};
    }
    Result<FileInfo> info() override {
      return FileInfo{.id = {}, .bytes = content_.bytes.size(), .mode = content_.mode};
    }

   private:
    Content& content_;
  };
};

class TestRandom : public Random {
 public:
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_{17};
};

class FixedClock : public Clock {
 public:
  std::int64_t wall_ns() override { return 1795426793123456789; }
  std::int64_t boot_ns() override { return 0; }
};

class Keys : public testing::Test {
 protected:
  Result<Secret> spool_key(const std::string& credentials = "") {
    return load_or_make_spool_key(files_, "/state", credentials, random_);
  }
  Result<OwnIdentity> log_identity(const std::string& path = "/state/identity") {
    return load_or_make_identity(files_, path, random_, clock_);
  }
  MemoryFiles files_;
  TestRandom random_;
  FixedClock clock_;
};

TEST_F(Keys, TheSpoolKeyIsMadeOnceAndThenRead) {
  const auto made = spool_key();
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->size(), 32U);
  EXPECT_EQ(files_.files.size(), 1U);
  EXPECT_EQ(files_.files.at("/state/spool.key").bytes, made->reveal());
  EXPECT_EQ(spool_key()->reveal(), made->reveal());
}

TEST_F(Keys, TheSpoolKeyOfTheCredentialsComesFirst) {
  const std::string given(32, 'k');
  files_.files["/credentials/enclave.spool-key"] = {given, 0440};
  EXPECT_EQ(spool_key("/credentials")->reveal(), given);
  EXPECT_FALSE(files_.files.contains("/state/spool.key"));
  files_.files.clear();
  EXPECT_NE(spool_key("/credentials")->reveal(), given);
  EXPECT_TRUE(files_.files.contains("/state/spool.key"));
}

TEST_F(Keys, ASpoolKeyOfAnotherLengthIsNeitherUsedNorReplaced) {
  for (const std::size_t size : {0, 31, 33, 5000}) {
    const std::string bytes(size, 'k');
    files_.files["/state/spool.key"] = {bytes, 0600};
    const auto key = spool_key();
    ASSERT_FALSE(key.has_value()) << size;
    EXPECT_EQ(key.error().fault(), Fault::corrupt);
    EXPECT_THAT(key.error().text(), HasSubstr("/state/spool.key must hold exactly 32 bytes"));
    EXPECT_EQ(files_.files.at("/state/spool.key").bytes, bytes);
    files_.files["/credentials/enclave.spool-key"] = {bytes, 0400};
    EXPECT_THAT(spool_key("/credentials").error().text(), HasSubstr("/credentials/enclave.spool-key must hold"));
  }
}

TEST_F(Keys, ASpoolKeyThatOthersCanReadIsRefused) {
  files_.files["/state/spool.key"] = {std::string(32, 'k'), 0640};
  EXPECT_EQ(spool_key().error().fault(), Fault::denied);
}

TEST_F(Keys, TheIdentityIsWrittenAsAgeKeygenWritesItAndReadBack) {
  const auto made = log_identity("/state/deep/er/identity").value();
  EXPECT_TRUE(made.made_now);
  ASSERT_EQ(made.recipients.size(), 1U);
  const auto& file = files_.files.at("/state/deep/er/identity");
  EXPECT_EQ(file.mode, 0600U);
  const std::string head = "# created: 2026-11-23T09:39:53Z\n# public key: " + made.recipients[0].text() + "\n";
  EXPECT_EQ(file.bytes.substr(0, head.size()), head);
  EXPECT_EQ(file.bytes.substr(head.size(), 16), "AGE-SECRET-KEY-1");
  EXPECT_EQ(file.bytes.size(), head.size() + 75);
  const auto read = log_identity("/state/deep/er/identity").value();
  EXPECT_FALSE(read.made_now);
  EXPECT_EQ(read.recipients, made.recipients);
}

TEST_F(Keys, AnIdentityThatOthersCanReadIsRefusedWithTheMend) {
  ASSERT_TRUE(log_identity().has_value());
  for (const std::uint32_t mode : {0640U, 0604U, 0660U, 0644U, 0620U}) {
    files_.files.at("/state/identity").mode = mode;
    const auto refused = log_identity();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().fault(), Fault::denied);
    EXPECT_THAT(refused.error().text(),
                AllOf(HasSubstr(fmt::format("(mode {:04o})", mode)), HasSubstr("run: chmod 600 '/state/identity'")));
  }
  files_.files.at("/state/identity").mode = 0400;
  EXPECT_TRUE(log_identity().has_value());
}

TEST_F(Keys, EveryIdentityOfTheFileIsARecipient) {
  std::string text;
  std::vector<crypto::AgeRecipient> expected;
  for (int i = 0; i < 3; ++i) {
    const auto identity = AgeIdentity::generate(random_);
    text += fmt::format("{}\n", identity.text().reveal());
    expected.push_back(identity.recipient());
  }
  files_.files["/state/identity"] = {text, 0600};
  EXPECT_EQ(log_identity()->recipients, expected);
  for (int i = 0; i < 5; ++i) text += text;
  files_.files["/state/identity"] = {text, 0600};
  EXPECT_EQ(log_identity().error().fault(), Fault::limit);
}

TEST_F(Keys, ADamagedIdentityFileIsNamedWithItsLineAndLeftAlone) {
  const std::string text = "# created\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZ\n";
  files_.files["/state/identity"] = {text, 0600};
  const auto refused = log_identity();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text(), AllOf(HasSubstr("/state/identity: line 2"), Not(HasSubstr("GFPYY"))));
  EXPECT_EQ(files_.files.at("/state/identity").bytes, text);
  files_.files["/state/identity"] = {std::string(200000, '#'), 0600};
  EXPECT_EQ(log_identity().error().fault(), Fault::limit);
}

TEST_F(Keys, IdentitiesThatTheUserNamesMayLieOnAnyMedium) {
  ASSERT_TRUE(log_identity().has_value());
  files_.files.at("/state/identity").mode = 0755;
  EXPECT_EQ(load_identities(files_, "/state/identity")->size(), 1U);
  EXPECT_EQ(load_identities(files_, "/state/other").error().fault(), Fault::absent);
}

TEST_F(Keys, RecipientsAreReadInOrderAndOnce) {
  const auto one = AgeIdentity::generate(random_).recipient();
  const auto two = AgeIdentity::generate(random_).recipient();
  const std::string texts[] = {two.text(), one.text(), two.text()};
  EXPECT_THAT(parse_recipients(texts).value(), testing::ElementsAre(two, one));
}

TEST_F(Keys, AWrongRecipientIsNamedByItsPlace) {
  const std::string texts[] = {AgeIdentity::generate(random_).recipient().text(), "age1qqqq"};
  EXPECT_THAT(parse_recipients(texts).error().text(), HasSubstr("recipient 2 of 2: not an age recipient"));
  EXPECT_EQ(parse_recipients({}).error().fault(), Fault::invalid);
  std::vector<std::string> many;
  for (int i = 0; i < 65; ++i) many.push_back(AgeIdentity::generate(random_).recipient().text());
  EXPECT_EQ(parse_recipients(many).error().fault(), Fault::limit);
}

}  // namespace
}  // namespace enclave::keys
