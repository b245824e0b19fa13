#include <fcntl.h>
#include <gmock/gmock.h>

#include "pipeline/input_bench.h"
#include "pipeline/stdin_input.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StreamInput : public ::testing::Test {
 protected:
  StreamInput() { EXPECT_EQ(::pipe(ends_), 0); }
  ~StreamInput() override {
    ::close(ends_[0]);
    hang_up();
  }
  void write(std::string_view bytes) {
    ASSERT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  Input::Polled poll(Input& input) {
    event::Batch batch;
    const auto polled = input.poll(batch, 1 << 20);
    take(batch);
    return *polled;
  }
  void take(const event::Batch& batch) {
    for (const auto& event : batch.events) {
      EXPECT_EQ(event.offset, original.size());
      lines.emplace_back(event.raw);
      cut.push_back(event.cut_bytes);
      original += event.raw;
      original += std::string(event.cut_bytes, '.');
      original += event.eol == event::Eol::lf ? "\n" : event.eol == event::Eol::crlf ? "\r\n" : "";
    }
    for (const auto& range : batch.sources) {
      EXPECT_EQ(range.from, to_);
      to_ = range.to;
      EXPECT_EQ(to_, std::to_string(original.size()));
    }
  }

  testing::TestLog log;
  World world{io::real_clock(), io::real_files(), io::real_random()};
  std::vector<std::string> lines;
  std::vector<std::uint64_t> cut;
  std::string original;
  int ends_[2] = {-1, -1};

 private:
  std::string to_ = "0";
};

TEST_F(StreamInput, GivesLinesAsTheyComeAndNeverBlocks) {
  auto input = make_stream_input(ends_[0], 1000, world, log);
  EXPECT_EQ(poll(*input), Input::Polled::idle);
  write("one\ntw");
  EXPECT_EQ(poll(*input), Input::Polled::idle);
  EXPECT_THAT(lines, ElementsAre("one"));
  write("o\r\n\n");
  EXPECT_EQ(poll(*input), Input::Polled::idle);
  EXPECT_THAT(lines, ElementsAre("one", "two", ""));
  EXPECT_THAT(input->descriptors(), ElementsAre(ends_[0]));
}

TEST_F(StreamInput, GivesALastLineWithoutNewlineAtTheEnd) {
  auto input = make_stream_input(ends_[0], 1000, world, log);
  const std::string bytes("a\0\xff\r\nlast\r", 10);
  write(bytes);
  hang_up();
  EXPECT_EQ(poll(*input), Input::Polled::end);
  EXPECT_EQ(original, bytes);
  EXPECT_THAT(input->descriptors(), IsEmpty());
}

TEST_F(StreamInput, GivesOutWhatItHoldsAtShutdown) {
  auto input = make_stream_input(ends_[0], 1000, world, log);
  write("one\nhalf");
  EXPECT_EQ(poll(*input), Input::Polled::idle);
  event::Batch batch;
  EXPECT_EQ(*input->finish(batch, 1000), Input::Polled::end);
  take(batch);
  EXPECT_THAT(lines, ElementsAre("one", "half"));
}

TEST_F(StreamInput, CutsAndCountsLinesThatAreTooLongWhereverThePiecesBreak) {
  auto input = make_stream_input(ends_[0], 5, world, log);
  for (const char c : std::string("12345\r\n123456\n12345\n123456789\r\n1\r\n123456")) {
    write(std::string(1, c));
    poll(*input);
  }
  hang_up();
  EXPECT_EQ(poll(*input), Input::Polled::end);
  EXPECT_THAT(lines, ElementsAre("12345", "12345", "12345", "12345", "1", "12345"));
  EXPECT_THAT(cut, ElementsAre(0, 1, 0, 4, 0, 1));
  EXPECT_EQ(log.counters["lines_cut"], 3);
}

TEST_F(StreamInput, ReadsARegularFileToItsEnd) {
  const testing::TempDirectory directory;
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += "line " + std::to_string(i) + "\n";
  testing::append(directory / "x", bytes);
  const int file = ::open((directory / "x").c_str(), O_RDONLY);
  auto input = make_stream_input(file, 1000, world, log);
  EXPECT_THAT(input->descriptors(), IsEmpty()) << "epoll refuses regular files";
  while (poll(*input) == Input::Polled::more) continue;
  EXPECT_EQ(original, bytes);
  ::close(file);
}

}  // namespace
}  // namespace enclave::pipeline
