#include <gmock/gmock.h>

#include <set>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_file;

namespace {

using testing::append;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The real file system, of which some things can be made to fail.
class FaultyFiles : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path) override {
    if (denied.contains(path)) return Error{Fault::denied, "{}: permission denied", path};
    if (opened_max <= 0) return Error{Fault::limit, "{}: too many open files", path};
    auto file = real.open(path);
    if (!file) return file;
    --opened_max;
    return std::unique_ptr<File>(std::make_unique<CountedFile>(std::move(*file), *this, path));
  }
  Result<FileInfo> info(const std::string& path, bool follow) override { return real.info(path, follow); }
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    if (denied.contains(directory)) return Error{Fault::denied, "{}: permission denied", directory};
    return real.list(directory);
  }
  std::unique_ptr<Watcher> watcher() override { return watches ? real.watcher() : std::make_unique<NoWatcher>(); }

  Result<std::unique_ptr<File>> create(const std::string&, Create) override { return writing(); }
  Result<void> make_directory(const std::string&) override { return writing(); }
  Result<void> rename(const std::string&, const std::string&) override { return writing(); }
  Result<void> link(const std::string&, const std::string&) override { return writing(); }
  Result<void> remove(const std::string&) override { return writing(); }
  Result<void> sync_directory(const std::string&) override { return writing(); }

  std::set<std::string> denied;
  std::set<std::string> unreadable;  ///< can be opened, but reading fails
  int opened_max = 1000;
  bool watches = true;

 private:
  static Error writing() { return Error{Fault::unsupported, "an input writes nothing"}; }

  class CountedFile : public File {
   public:
    CountedFile(std::unique_ptr<File> file, FaultyFiles& files, std::string path)
        : file_(std::move(file)), files_(files), path_(std::move(path)) {}
    ~CountedFile() override { ++files_.opened_max; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      if (files_.unreadable.contains(path_)) return Error{Fault::busy, "{}: input/output error", path_};
      return file_->read_at(offset, into);
    }
    Result<void> write_at(std::uint64_t, std::string_view) override { return writing(); }
    Result<void> sync() override { return writing(); }
    Result<void> truncate(std::uint64_t) override { return writing(); }
    Result<FileInfo> info() override { return file_->info(); }

   private:
    std::unique_ptr<File> file_;
    FaultyFiles& files_;
    std::string path_;
  };
  class NoWatcher : public Watcher {
   public:
    Result<void> watch(const std::string& directory) override {
      return Error{Fault::limit, "{}: cannot watch: no watch is left", directory};
    }
    void unwatch(const std::string&) override {}
    bool take(std::vector<Change>&) override { return false; }
    int descriptor() const override { return -1; }
  };
  Files& real = io::real_files();
};

class FaultyBench : public testing::InputBench {
 public:
  FaultyBench() : InputBench(plugin_file) {}
  ~FaultyBench() override { close(); }
  Files& files() override { return faulty; }
  FaultyFiles faulty;
};

class FileInputFaults : public ::testing::Test {
 protected:
  void follow(const std::string& pattern) { bench.set("paths", testing::list_node({bench.directory / pattern})); }
  std::string at(std::string_view name) { return bench.directory / name; }
  FaultyBench bench;
};

TEST_F(FileInputFaults, SaysOnceThatAFileIsUnreadableAndReadsItWhenItIs) {
  follow("*.log");
  append(at("x.log"), "one\n");
  append(at("y.log"), "other\n");
  bench.faulty.denied.insert(at("x.log"));
  bench.run(35);
  EXPECT_THAT(bench.lines(), ElementsAre("other"));
  EXPECT_THAT(bench.log.troubles[at("x.log")], HasSubstr("permission denied"));
  EXPECT_EQ(bench.log.told[at("x.log")], 1);
  bench.faulty.denied.clear();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("other", "one"));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(FileInputFaults, SaysOnceThatADirectoryIsUnreadableAndForgetsNothingMeanwhile) {
  follow("*.log");
  append(at("x.log"), "one\n");
  bench.run();
  bench.faulty.denied.insert(bench.directory.path());
  bench.restart();
  bench.run(200);
  EXPECT_EQ(bench.log.told[bench.directory.path()], 1);
  append(at("x.log"), "two\n");
  bench.faulty.denied.clear();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  EXPECT_THAT(bench.sources(), SizeIs(1));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(FileInputFaults, GoesOnWhereItStoodAfterAReadError) {
  follow("x.log");
  append(at("x.log"), "one\n");
  bench.run();
  append(at("x.log"), "two\n");
  bench.faulty.unreadable.insert(at("x.log"));
  bench.run(25);
  EXPECT_THAT(bench.lines(), ElementsAre("one"));
  EXPECT_THAT(bench.log.troubles[at("x.log")], HasSubstr("input/output error"));
  bench.faulty.unreadable.clear();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(FileInputFaults, MakesDoWithTheDescriptorsThatThereAre) {
  follow("*.log");
  for (int i = 0; i < 50; ++i) append(at("f" + std::to_string(i) + ".log"), "line\n");
  bench.faulty.opened_max = 8;
  bench.settle();
  EXPECT_THAT(bench.lines(), SizeIs(50));
}

TEST_F(FileInputFaults, FindsEverythingWithoutAnyWatch) {
  follow("*.log");
  bench.faulty.watches = false;
  append(at("x.log"), "one\n");
  bench.run();
  append(at("x.log"), "two\n");
  append(at("y.log"), "new\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ::testing::UnorderedElementsAre("one", "two", "new"));
  EXPECT_EQ(bench.log.told["directory watches"], 1);
  EXPECT_THAT(bench.input->descriptors(), IsEmpty());
}

TEST_F(FileInputFaults, TakesAMissingFileThatComesEmptyAsThere) {
  follow("x.log");
  bench.run();
  EXPECT_THAT(bench.log.troubles, SizeIs(1));
  append(at("x.log"), "");
  bench.settle();
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(FileInputFaults, FollowsTenThousandFilesAtOnceWithBoundedDescriptors) {
  follow("**/*.log");
  bench.faulty.opened_max = 600;
  for (int i = 0; i < 10; ++i) std::filesystem::create_directories(at(std::to_string(i)));
  const auto name = [&](int i) { return at(std::to_string(i % 10) + "/service-" + std::to_string(i) + ".log"); };
  for (int i = 0; i < 10'000; ++i) append(name(i), "first\n");
  bench.run();
  EXPECT_THAT(bench.events, SizeIs(10'000));
  EXPECT_THAT(bench.sources(), SizeIs(10'000));
  EXPECT_LE(bench.log.counters["files_open"], 512);
  for (int i = 0; i < 10'000; i += 97) append(name(i), "second\n");
  testing::rename(name(5), name(5) + ".1");
  append(name(5) + ".1", "after its renaming\n");
  bench.settle();
  EXPECT_THAT(bench.events, SizeIs(10'000 + 104 + 1));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

}  // namespace
}  // namespace enclave::pipeline
