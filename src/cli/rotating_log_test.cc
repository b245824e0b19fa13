#include "cli/rotating_log.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/time.h"
#include "io/system.h"

namespace enclave::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class MovedClock final : public Clock {
 public:
  std::int64_t wall_ns() override { return now_ns; }
  std::int64_t boot_ns() override { return now_ns; }
  std::int64_t now_ns = parse_time("2026-01-02T03:04:05Z").value();
};

class RotatingLogTest : public ::testing::Test {
 protected:
  RotatingLogTest() {
    std::string name = fs::temp_directory_path() / "enclave-log-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name + "/deep/log";
    root_ = name;
  }
  ~RotatingLogTest() override { fs::remove_all(root_); }

  std::unique_ptr<RotatingLog> open(RotatingLog::Options options) {
    options.folder = folder_;
    auto log = RotatingLog::open({clock_, io::real_files(), io::real_random()}, std::move(options));
    EXPECT_TRUE(log) << log.error().text();
    return log ? std::move(*log) : nullptr;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  MovedClock clock_;
  std::string root_, folder_;
};

TEST_F(RotatingLogTest, KeepsSoManyFilesOfSoManyBytes) {
  const auto log = open({.bytes_max = 150, .keep = 2, .mode = 0640});
  for (int i = 0; i < 10; ++i) log->write(RotatingLog::Level::error, "trouble " + std::to_string(i));
  EXPECT_THAT(files(),
              ElementsAre("filebeat-20260102-7.ndjson", "filebeat-20260102-8.ndjson", "filebeat-20260102-9.ndjson"));
  EXPECT_EQ(read("filebeat-20260102-9.ndjson"),
            "{\"log.level\":\"error\",\"@timestamp\":\"2026-01-02T03:04:05.000Z\",\"message\":\"trouble 9\","
            "\"service.name\":\"filebeat\"}\n");
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder_ + "/filebeat-20260102-9.ndjson").permissions()), 0640U);
}

TEST_F(RotatingLogTest, ANewDayHasAFileOfItsOwn) {
  const auto log = open({.name = "fb"});
  log->write(RotatingLog::Level::info, "a");
  clock_.now_ns += 24LL * 3600 * 1'000'000'000;
  log->write(RotatingLog::Level::info, "b");
  EXPECT_THAT(files(), ElementsAre("fb-20260102.ndjson", "fb-20260103.ndjson"));
}

TEST_F(RotatingLogTest, OlderGenerationsNumberWhatWasBefore) {
  for (int i = 0; i < 4; ++i) {
    const auto log = open({.keep = 2, .least = RotatingLog::Level::warning, .json = false, .dated = false});
    log->write(RotatingLog::Level::info, "left out");
    log->write(RotatingLog::Level::warning, "start " + std::to_string(i) + "\nof");
  }
  EXPECT_THAT(files(), ElementsAre("filebeat", "filebeat.1", "filebeat.2"));
  EXPECT_EQ(read("filebeat"), "2026-01-02T03:04:05.000Z\tWARN\tstart 3 of\n");
  EXPECT_THAT(read("filebeat.2"), HasSubstr("start 1"));
}

TEST_F(RotatingLogTest, GoesOnInItsFileUnlessItIsToBeginAnew) {
  open({.at_startup = false})->write(RotatingLog::Level::info, "a");
  open({.at_startup = false})->write(RotatingLog::Level::info, "b");
  EXPECT_THAT(files(), ElementsAre("filebeat-20260102.ndjson"));
  EXPECT_THAT(read("filebeat-20260102.ndjson"), HasSubstr("\"b\""));
}

TEST_F(RotatingLogTest, WhatCannotBeWrittenStopsNothing) {
  const auto log = open({});
  fs::remove_all(folder_);
  clock_.now_ns += 24LL * 3600 * 1'000'000'000;
  log->write(RotatingLog::Level::info, "into nothing");
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace enclave::cli
