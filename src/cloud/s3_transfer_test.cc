#include "cloud/s3_transfer.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/encoding.h"
#include "base/files.h"
#include "cloud/upload_journal.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

constexpr std::uint64_t kPart = 5 << 20;

/// A bucket in memory that keeps unfinished uploads, counts, and fails when it is told to.
class MemoryBucket final : public ObjectBucket {
 public:
  Result<ObjectHead> head(const std::string& key, const std::string& /*version*/, S3Told& /*told*/) override {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Error{Fault::absent, "{} is not there", key};
    ObjectHead head{{}, found->second.second};
    head.info.key = key;
    head.info.bytes = found->second.first.size();
    head.info.etag = "e";
    return head;
  }
  Result<ObjectPart> range(const std::string& key, const std::string& version, std::uint64_t first, std::uint64_t count,
                           const std::string& /*etag*/, S3Told& told) override {
    const std::lock_guard lock(mutex_);
    ObjectPart part{TRY(head(key, version, told)), ""};
    if (first >= fail_reads_from) return Error{Fault::busy, "the network is gone"};
    const std::string& bytes = objects_[key].first;
    part.bytes = bytes.substr(std::min<std::uint64_t>(first, bytes.size()), count);
    read += part.bytes.size();
    return part;
  }
  Result<std::string> put(const std::string& key, std::string_view bytes, const Pairs& metadata,
                          S3Told& /*told*/) override {
    const std::lock_guard lock(mutex_);
    objects_[key] = {std::string(bytes), metadata};
    return "v";
  }
  Result<MultipartUpload> begin(const std::string& key, const Pairs& metadata, S3Told& /*told*/) override {
    const std::string id = std::to_string(++ids_);
    uploads[id] = {};
    metadata_ = metadata;
    return MultipartUpload{key, id};
  }
  Result<UploadPart> put_part(const MultipartUpload& upload, std::uint32_t number, std::uint64_t /*offset*/,
                              std::string_view bytes, S3Told& told) override {
    const std::lock_guard lock(mutex_);
    if (parts_left-- == 0) {
      ++parts_left;
      told.code = "SlowDown";
      return Error{fault, "the store does not answer"};
    }
    ++parts_put;
    uploads[upload.id][number] = bytes;
    return UploadPart{number, fmt::format("{}-{}", number, bytes.size()), bytes.size()};
  }
  Result<std::string> complete(const MultipartUpload& upload, std::vector<UploadPart> parts,
                               S3Told& /*told*/) override {
    std::string whole;
    EXPECT_EQ(parts.size(), uploads[upload.id].size());
    for (const auto& [number, bytes] : uploads[upload.id]) whole += bytes;
    uploads.erase(upload.id);
    objects_[upload.key] = {whole, metadata_};
    return "v";
  }
  Result<void> abort(const MultipartUpload& upload) override {
    uploads.erase(upload.id);
    return {};
  }
  Result<std::vector<UploadPart>> parts(const MultipartUpload& upload) override {
    const auto found = uploads.find(upload.id);
    if (found == uploads.end()) return Error{Fault::absent, "no such upload"};
    std::vector<UploadPart> all;
    for (const auto& [number, bytes] : found->second)
      all.push_back({number, fmt::format("{}-{}", number, bytes.size()), bytes.size()});
    return all;
  }
  Result<void> list(const Listing& /*listing*/,
                    const std::function<Result<void>(const ObjectInfo&)>& /*visit*/) override {
    return {};
  }
  Result<std::string> restore(const std::string& /*key*/, const std::string& /*version*/) override { return ""; }
  Result<Deleted> remove(const std::vector<KeyVersion>& /*which*/) override { return Deleted{}; }
  std::string name() const override { return "memory"; }

  std::string& bytes_of(const std::string& key) { return objects_[key].first; }

  std::map<std::string, std::map<std::uint32_t, std::string>> uploads;
  std::uint64_t read = 0;
  int parts_put = 0;
  int parts_left = -1;  ///< negative: any number
  Fault fault = Fault::busy;
  std::uint64_t fail_reads_from = UINT64_MAX;

 private:
  std::mutex mutex_;
  std::map<std::string, std::pair<std::string, Pairs>> objects_;
  Pairs metadata_;
  int ids_ = 0;
};

class S3Transfer : public ::testing::Test {
 protected:
  S3Transfer() {
    std::string name = std::filesystem::temp_directory_path() / "enclave-transfer-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    options_.part_bytes = kPart;
    options_.parallel = 3;
    options_.journals = directory_ + "/journals";
  }
  ~S3Transfer() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, std::size_t bytes, char salt = 0) {
    std::string content(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>(i * 7 + i / 4093 + salt);
    const std::string path = directory_ + "/" + name;
    EXPECT_TRUE(replace_file(world_.files, path, content));
    return path;
  }
  Result<Stored> upload(const std::string& path) {
    const UploadFrom from{"key", path, std::span(&identity_.recipient(), 1)};
    return upload_file(world_, bucket_, from, options_, told_);
  }
  Result<ObjectReader> reader() {
    ObjectReader::Options reading;
    reading.identities = std::span(&identity_, 1);
    return ObjectReader::open(bucket_, "key", "", reading, told_);
  }
  std::string content(const std::string& path) { return *read_file(world_.files, path, 1 << 30); }
  std::size_t journals() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options_.journals))
      count += entry.path().extension() == ".upload" ? 1 : 0;
    return count;
  }

  World world_ = io::real_world();
  std::string directory_;
  crypto::AgeIdentity identity_ = crypto::AgeIdentity::generate(world_.random);
  MemoryBucket bucket_;
  TransferOptions options_;
  S3Told told_;
};

TEST_F(S3Transfer, GoesOnWhereAnUploadWasInterrupted) {
  const std::string path = file("big", 4 * kPart + 77);
  bucket_.parts_left = 2;
  const auto failed = upload(path);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault(), Fault::busy);
  EXPECT_EQ(told_.code, "SlowDown");
  EXPECT_EQ(journals(), 1U);
  bucket_.parts_left = -1;
  const auto done = upload(path);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(done->resumed);
  EXPECT_EQ(bucket_.parts_put, 5) << "no part is sent twice";
  EXPECT_EQ(journals(), 0U);
  EXPECT_TRUE(bucket_.uploads.empty());
  const auto opened = crypto::age_decrypt(bucket_.bytes_of("key"), std::span(&identity_, 1));
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(*opened, content(path));
}

TEST_F(S3Transfer, BeginsAnewWhenTheFileIsAnotherOne) {
  const std::string path = file("big", 2 * kPart);
  bucket_.parts_left = 1;
  ASSERT_FALSE(upload(path));
  bucket_.parts_left = -1;
  file("big", 2 * kPart, 1);
  const auto done = upload(path);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(done->resumed);
  EXPECT_TRUE(bucket_.uploads.empty()) << "the first upload is ended";
  EXPECT_EQ(*crypto::age_decrypt(bucket_.bytes_of("key"), std::span(&identity_, 1)), content(path));
}

TEST_F(S3Transfer, TakesBackWhatItCannotGoOnWith) {
  bucket_.parts_left = 1;
  bucket_.fault = Fault::denied;
  const auto failed = upload(file("big", 3 * kPart));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault(), Fault::denied);
  EXPECT_TRUE(bucket_.uploads.empty());
  EXPECT_EQ(journals(), 0U);
}

TEST_F(S3Transfer, SweepsUploadsThatNobodyWentOnWith) {
  bucket_.parts_left = 1;
  ASSERT_FALSE(upload(file("big", 3 * kPart)));
  const auto open = [&](const std::string&) { return &bucket_; };
  EXPECT_EQ(*sweep_uploads(world_, options_.journals, std::chrono::hours(1), open), 0U);
  EXPECT_EQ(*sweep_uploads(world_, options_.journals, Nanoseconds(0), open), 1U);
  EXPECT_TRUE(bucket_.uploads.empty());
  EXPECT_EQ(journals(), 0U);
}

TEST_F(S3Transfer, FetchesOnlyTheChunksOfARange) {
  const std::string path = file("big", 2 * kPart + 1);
  ASSERT_TRUE(upload(path));
  const auto opened = reader();
  ASSERT_TRUE(opened) << opened.error().text();
  bucket_.read = 0;
  std::string got;
  ASSERT_TRUE(opened->read(kPart + 5, 100, got, told_));
  EXPECT_EQ(got, content(path).substr(kPart + 5, 100));
  EXPECT_EQ(bucket_.read, 65536U + 16U);
}

TEST_F(S3Transfer, MeasuresAndReadsRangesOfAStreamAsOfOthers) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, kPart - 1, kPart, kPart + 1, 2 * kPart + 65536}) {
    for (const bool encrypted : {true, false}) {
      const std::string plain = content(file("big", bytes));
      std::size_t at = 0;
      const ReadStream read = [&](std::span<char> into) -> Result<std::size_t> {
        const std::size_t got = plain.copy(into.data(), into.size(), at);
        at += got;
        return got;
      };
      const UploadFrom from{"key", "", std::span(&identity_.recipient(), encrypted ? 1 : 0)};
      const auto stored = upload_stream(world_, bucket_, from, read, options_, told_);
      ASSERT_TRUE(stored) << stored.error().text();
      EXPECT_EQ(stored->stored_bytes, bucket_.bytes_of("key").size());
      const auto measured = measure_object(bucket_, "key", "", told_);
      ASSERT_TRUE(measured) << measured.error().text();
      EXPECT_EQ(measured->plain_bytes, bytes);
      EXPECT_EQ(measured->encrypted, encrypted);
      const auto opened = reader();
      ASSERT_TRUE(opened) << opened.error().text();
      EXPECT_EQ(opened->bytes(), bytes);
      const std::uint64_t first = bytes / 3, count = std::min<std::uint64_t>(70'000, bytes - first);
      std::string got;
      ASSERT_TRUE(opened->read(first, count, got, told_));
      EXPECT_EQ(got, plain.substr(first, count));
    }
  }
}

TEST_F(S3Transfer, MeasuresAnObjectForAsManyAsThereCanBe) {
  const std::vector<crypto::AgeRecipient> many(64, identity_.recipient());
  const std::string plain(2 * kPart, 'x');
  std::size_t at = 0;
  const ReadStream read = [&](std::span<char> into) -> Result<std::size_t> {
    const std::size_t got = plain.copy(into.data(), into.size(), at);
    at += got;
    return got;
  };
  ASSERT_TRUE(upload_stream(world_, bucket_, {"key", "", many}, read, options_, told_));
  EXPECT_EQ(measure_object(bucket_, "key", "", told_)->plain_bytes, plain.size());
}

TEST_F(S3Transfer, GoesOnWhereADownloadWasInterrupted) {
  const std::string path = file("big", 4 * kPart + 9);
  ASSERT_TRUE(upload(path));
  const auto opened = reader();
  ASSERT_TRUE(opened);
  const DownloadTo to{directory_ + "/back", false, false};
  options_.parallel = 1;
  bucket_.fail_reads_from = 3 * kPart;
  ASSERT_FALSE(download_file(world_, *opened, to, options_, told_));
  EXPECT_FALSE(world_.files.info(to.path));
  bucket_.fail_reads_from = UINT64_MAX;
  bucket_.read = 0;
  const auto got = download_file(world_, *opened, to, options_, told_);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_TRUE(got->resumed);
  EXPECT_LT(bucket_.read, 3 * kPart) << "what is there is not fetched again";
  EXPECT_EQ(content(to.path), content(path));
  EXPECT_EQ(download_file(world_, *opened, to, options_, told_).error().fault(), Fault::conflict);
}

TEST_F(S3Transfer, LeavesNothingOfAnObjectThatWasChanged) {
  ASSERT_TRUE(upload(file("big", 3 * kPart)));
  bucket_.bytes_of("key")[2 * kPart] ^= 1;
  const auto opened = reader();
  ASSERT_TRUE(opened);
  const auto got = download_file(world_, *opened, {directory_ + "/back", false, false}, options_, told_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().fault(), Fault::corrupt);
  for (const auto& entry : std::filesystem::directory_iterator(directory_))
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(::testing::HasSubstr("back")));
}

TEST_F(S3Transfer, RefusesAnotherPlainObjectThanWasStored) {
  const std::string path = file("plain", kPart + 3);
  ASSERT_TRUE(upload_file(world_, bucket_, {"key", path, {}}, options_, told_));
  bucket_.bytes_of("key")[4] ^= 1;
  const auto opened = reader();
  ASSERT_TRUE(opened);
  const auto got = download_stream(
      *opened, [](std::string_view) -> Result<void> { return {}; }, options_, told_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().fault(), Fault::corrupt);
}

TEST(UploadJournal, ReadsWhatItWroteAndForgetsALineThatWasCut) {
  UploadState state;
  state.store = "s3://a at https://b";
  state.key = "new\nline";
  state.id = "2~x";
  state.part_bytes = kPart;
  state.bytes = 12;
  state.file_key = crypto::Secret("0123456789abcdef");
  state.parts = {{1, "e1", 7}, {2, "e2", 5}};
  const std::string text = format_upload_state(state);
  const auto read = parse_upload_state(text);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->key, state.key);
  EXPECT_EQ(read->parts, state.parts);
  EXPECT_EQ(read->file_key.reveal(), "0123456789abcdef");
  EXPECT_EQ(parse_upload_state(text.substr(0, text.size() - 3))->parts.size(), 1U);
  EXPECT_FALSE(parse_upload_state("key zz\n"));
  EXPECT_FALSE(parse_upload_state("part 1\n"));
}

TEST(PlainFacts, AreReadAsWrittenAndForeignOnesRefused) {
  PlainFacts facts{true, 5, crypto::sha256("hello")};
  const auto read = facts_in(metadata_of(facts));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->encrypted);
  EXPECT_EQ(read->bytes, 5U);
  EXPECT_EQ(read->sha256, facts.sha256);
  EXPECT_FALSE(facts_in({{"enclave-bytes", "-1"}}));
  EXPECT_FALSE(facts_in({{"enclave-sha256", "abc"}}));
  EXPECT_FALSE(facts_in({{"enclave-format", "rot13"}}));
  EXPECT_TRUE(facts_in({{"author", "me"}}));
}

TEST(PartBytes, GrowSoThatThereAreAtMostTenThousand) {
  EXPECT_EQ(*part_bytes_for(1, 8 << 20), std::uint64_t{8} << 20);
  EXPECT_EQ(*part_bytes_for(1, 1), kPart);
  for (const std::uint64_t bytes : {std::uint64_t{1} << 30, std::uint64_t{10'000} * kPart - 1,
                                    std::uint64_t{10'000} * kPart, std::uint64_t{5} << 40}) {
    const auto part = part_bytes_for(bytes, kPart);
    ASSERT_TRUE(part);
    EXPECT_LE((bytes + *part - 1) / *part, 10'000U) << bytes;
    EXPECT_EQ(*part % 65536, 0U);
  }
  EXPECT_FALSE(part_bytes_for(std::uint64_t{1} << 50, kPart));
}

}  // namespace
}  // namespace enclave::cloud
