#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "contract/object_store_contract.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "enclave-store-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class FileBench final : public Bench {
 public:
  ObjectStore& store() override { return *store_; }
  std::unique_ptr<ObjectStore> absent_bucket() override {
    return open_file_store(io::real_world(), directory_.path() + "/missing").value();
  }
  bool keys_are_paths() const override { return true; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<ObjectStore> store_ = open_file_store(io::real_world(), directory_.path()).value();
};

std::unique_ptr<Bench> file_bench() { return std::make_unique<FileBench>(); }
INSTANTIATE_TEST_SUITE_P(File, ObjectStoreContract, ::testing::Values(&file_bench));

class FileStoreTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return directory_.path() + "/" + name; }
  std::unique_ptr<ObjectStore> opened() { return open_file_store(io::real_world(), directory_.path()).value(); }
  std::vector<std::string> versions_of(ObjectStore& store) {
    std::vector<std::string> all;
    EXPECT_TRUE(store.list({.prefix = "", .versions = true}, [&](const ObjectInfo& found) -> Result<void> {
      all.push_back(fmt::format("{}@{}{}", found.key, std::stoul(found.version), found.delete_marker ? "x" : ""));
      return {};
    }));
    return all;
  }
  Files& files_ = io::real_files();
  TemporaryDirectory directory_;
};

using ::testing::ElementsAre;

TEST_F(FileStoreTest, IsThePlainDirectoryThatItsFormatSays) {
  auto store = opened();
  ASSERT_TRUE(store->put("v1/a", "one"));
  ASSERT_TRUE(store->put("v1/a", "two"));
  ASSERT_TRUE(store->put("v1/b", "b"));
  ASSERT_TRUE(store->remove("v1/b", ""));
  EXPECT_EQ(read_file(files_, at("v1/a"), 100).value(), "two");
  EXPECT_EQ(read_file(files_, at(".enclave-versions/v1/a/00000000000000000001"), 100).value(), "one");
  EXPECT_EQ(read_file(files_, at(".enclave-versions/v1/b/00000000000000000001"), 100).value(), "b");
  EXPECT_EQ(read_file(files_, at(".enclave-versions/v1/b/00000000000000000002.deleted"), 100).value(), "");
  EXPECT_FALSE(files_.info(at("v1/b")));
  EXPECT_TRUE(files_.list(at(".enclave-tmp")).value().empty()) << "nothing unfinished is left";
}

TEST_F(FileStoreTest, VersionsGoOnAfterAReopening) {
  ASSERT_TRUE(opened()->put("a", "one"));
  ASSERT_TRUE(opened()->put("a", "two"));
  ASSERT_TRUE(opened()->remove("a", ""));
  ASSERT_TRUE(opened()->put("a", "three"));
  EXPECT_THAT(versions_of(*opened()), ElementsAre("a@4", "a@3x", "a@2", "a@1"));
}

TEST_F(FileStoreTest, ACrashBetweenKeepingAndReplacingMakesNoSecondVersion) {
  ASSERT_TRUE(opened()->put("a", "one"));
  ASSERT_TRUE(make_directories(files_, at(".enclave-versions/a")));
  ASSERT_TRUE(files_.link(at("a"), at(".enclave-versions/a/00000000000000000001")));
  EXPECT_THAT(versions_of(*opened()), ElementsAre("a@1"));
  auto store = opened();
  EXPECT_EQ(std::stoul(store->put("a", "two").value()), 2U);
  EXPECT_THAT(versions_of(*store), ElementsAre("a@2", "a@1"));
  EXPECT_EQ(store->get("a", store->head("a", "").value().version, 100).value(), "two");
}

TEST_F(FileStoreTest, ACrashWithinADeletionIsFinishedByTheNextOne) {
  ASSERT_TRUE(opened()->put("a", "one"));
  ASSERT_TRUE(make_directories(files_, at(".enclave-versions/a")));
  ASSERT_TRUE(files_.link(at("a"), at(".enclave-versions/a/00000000000000000001")));
  ASSERT_TRUE(replace_file(files_, at(".enclave-versions/a/00000000000000000002.deleted"), ""));
  auto store = opened();
  EXPECT_EQ(store->get("a", "", 100).value(), "one");
  ASSERT_TRUE(store->remove("a", ""));
  EXPECT_THAT(versions_of(*store), ElementsAre("a@2x", "a@1"));
}

TEST_F(FileStoreTest, WhatACrashLeftUnfinishedIsSweptAway) {
  ASSERT_TRUE(files_.make_directory(at(".enclave-tmp")));
  ASSERT_TRUE(replace_file(files_, at(".enclave-tmp/half"), "ha"));
  auto store = opened();
  EXPECT_TRUE(versions_of(*store).empty());
  ASSERT_TRUE(store->put("a", "1"));
  EXPECT_TRUE(files_.list(at(".enclave-tmp")).value().empty());
}

TEST_F(FileStoreTest, AKeyAndALongerOneBelowItExcludeEachOtherAndSaySo) {
  auto store = opened();
  ASSERT_TRUE(store->put("a", "1"));
  ASSERT_TRUE(store->put("b/c", "1"));
  for (const char* key : {"a/b", "b"}) {
    const auto put = store->put(key, "2");
    ASSERT_FALSE(put) << key;
    EXPECT_EQ(put.error().fault(), Fault::unsupported) << put.error().text();
    EXPECT_EQ(store->put_if_absent(key, "2").error().fault(), Fault::unsupported);
    EXPECT_EQ(store->get(key, "", 100).error().fault(), Fault::absent);
    EXPECT_TRUE(store->remove(key, ""));
  }
  EXPECT_TRUE(files_.list(at(".enclave-tmp")).value().empty());
}

TEST_F(FileStoreTest, FilesThatNoKeyNamesAreNoObjects) {
  auto store = opened();
  ASSERT_TRUE(store->put("a", "1"));
  ASSERT_TRUE(replace_file(files_, at(".hidden"), ""));
  ASSERT_TRUE(replace_file(files_, at("not\xffutf8"), ""));
  std::filesystem::create_symlink("a", at("link"));
  ASSERT_TRUE(make_directories(files_, at(".enclave-versions/a")));
  ASSERT_TRUE(replace_file(files_, at(".enclave-versions/a/notes.txt"), ""));
  EXPECT_THAT(versions_of(*store), ElementsAre("a@1"));
}

TEST_F(FileStoreTest, AFileIsNoStore) {
  ASSERT_TRUE(replace_file(files_, at("f"), ""));
  EXPECT_EQ(open_file_store(io::real_world(), at("f")).error().fault(), Fault::invalid);
  EXPECT_EQ(open_file_store(io::real_world(), "").error().fault(), Fault::invalid);
}

}  // namespace
}  // namespace enclave::cloud
