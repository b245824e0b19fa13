#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/system.h"
#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filebeat/registry_import.h"

namespace enclave::pipeline::filebeat {
namespace {

using testing::HasSubstr;

class FilebeatFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "filebeat-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = root_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  std::string root_;
};

constexpr char kEntry[] = R"([{"_key":"filebeat::logs::native::7-1","source":"/a","offset":1}])";

TEST_F(FilebeatFiles, OfInputsAreReadBesideTheFileThatNamesThem) {
  const std::string path = write("filebeat.yml", "filebeat.config.inputs.path: inputs.d/*.yml\n");
  write("inputs.d/a.yml", "- {type: log, paths: [/a]}\n");
  write("inputs.d/b.yml", "- {type: log, paths: [/a], tail_file: true}\n");
  Diagnostics diagnostics;
  const Config config = load_filebeat(io::real_files(), path, {}, diagnostics);
  EXPECT_EQ(config.inputs.size(), 2U);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_THAT(diagnostics.text(), HasSubstr("inputs.d/b.yml:1:28: warning: tail_file is no setting of a log input"));
  EXPECT_THAT(diagnostics.text(), HasSubstr("reads /a too"));
}

TEST_F(FilebeatFiles, ThatAreNotThereAreAnErrorAndNotAnEmptyConfiguration) {
  Diagnostics diagnostics;
  load_filebeat(io::real_files(), root_ + "/none.yml", {}, diagnostics);
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST_F(FilebeatFiles, OfARegistryAreFoundInEachOfItsForms) {
  const std::string six = write("six", R"([{"source":"/a","offset":3}])");
  write("seven/filebeat/meta.json", R"({"version":"0"})");
  write("seven/filebeat/data.json", R"([{"source":"/a","offset":4}])");
  write("eight/filebeat/meta.json", R"({"version":"1"})");
  write("eight/filebeat/9.json", "[]");
  write("eight/filebeat/10.json", kEntry);
  write("eight/filebeat/log.json",
        "{\"op\":\"set\",\"id\":11}\n{\"k\":\"filebeat::logs::native::7-1\",\"v\":{\"source\":\"/a\",\"offset\":5}}\n");
  for (const auto& [path, offset] : {std::pair{six, 3U}, {root_ + "/seven", 4U}, {root_ + "/eight", 5U}}) {
    const auto import = import_registry(io::real_files(), path);
    ASSERT_TRUE(import) << import.error().text();
    ASSERT_EQ(import->entries.size(), 1U) << path;
    EXPECT_EQ(import->entries[0].offset, offset);
  }
}

TEST_F(FilebeatFiles, OfAnUnknownRegistryAreRefused) {
  write("registry/meta.json", R"({"version":"2"})");
  const auto unknown = import_registry(io::real_files(), root_ + "/registry");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().fault(), Fault::unsupported);
  const auto none = import_registry(io::real_files(), root_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().fault(), Fault::absent);
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
