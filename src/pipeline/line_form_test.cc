#include "pipeline/line_form.h"

#include <gtest/gtest.h>

#include <random>

#include "io/system.h"

using namespace enclave;
using namespace enclave::pipeline;
using event::Value;

namespace {

class TestCodec final : public Codec {
 public:
  explicit TestCodec(Written written) : written_(written) {}
  void decode(std::string_view, event::Arena&, FilterRun&, std::vector<event::Document>&) override {}
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    if (written_ == Written::json) {
      append_json(event, out);
      out += '\n';
    } else {
      out += event.find("message")->text();
      out += '|';
      out += event.find("message")->text();
    }
  }
  Written written() const override { return written_; }

 private:
  const Written written_;
};

event::Document make_event(event::Arena& arena, std::string_view line, std::int64_t offset) {
  event::Document event(arena);
  event.set("@timestamp", Value::time(1'700'000'000'123'000'000));
  event.set("message", Value::of(line));
  const Value log = Value::map(arena);
  log.set(arena, "offset", Value::of(offset));
  log.set(arena, "text", Value::of(std::string_view("tab\tand \"quotes\"")));
  event.set("log", log);
  event.set("original", Value::of(line));
  return event;
}

/// Words, quotes, control characters, UTF-8 and what is none.
std::string random_line(std::mt19937& random) {
  static constexpr std::string_view kParts[] = {"GET / HTTP/1.1", "\"",       "\\",  "\x01", "\xc3\xa9",
                                                "\xe2\x82\xac",   "\xff\xfe", "\t",  " ",    "0123456789",
                                                "\xf0\x9f\x98",   "plain",    "\x7f"};
  std::string line;
  const auto parts = random() % 30;
  // Most lines are plain ones, as they are in life.
  const std::size_t of = random() % 2 == 0 ? 3 : std::size(kParts);
  for (std::size_t i = 0; i < parts; ++i) line += kParts[random() % of];
  if (random() % 50 == 0) line += std::string(70'000, '"');
  return line;
}

void compare(Codec::Written written, unsigned seed) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  TestCodec codec(written);
  FilterRun run;
  event::Arena arena;
  const LineMarks marks = LineMarks::make(io::real_world().random);
  std::vector<std::string> lines;
  for (int i = 0; i < 200; ++i) lines.push_back(random_line(random));
  std::vector<event::Event> events;
  std::string expected = "before", got = "before";
  std::vector<std::size_t> expected_ends, ends;
  for (const auto& line : lines) {
    event::Event event;
    event.raw = line;
    event.offset = random();
    events.push_back(event);
    codec.encode(make_event(arena, line, static_cast<std::int64_t>(event.offset)), run, expected);
    expected_ends.push_back(expected.size());
  }
  const auto like = make_event(arena, marks.line, marks.offset);
  const auto form = LineForm::make(codec, {like, marks, events}, run);
  ASSERT_TRUE(form);
  form->append(events, got, &ends);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(ends, expected_ends);
}

}  // namespace

TEST(LineForm, WritesJsonAsTheCodecDoes) {
  for (unsigned seed = 1; seed <= 20; ++seed) compare(Codec::Written::json, seed);
}

TEST(LineForm, WritesTextsAsTheCodecDoes) {
  for (unsigned seed = 1; seed <= 20; ++seed) compare(Codec::Written::as_is, seed);
}

TEST(LineForm, IsNotMadeForCodecsThatWriteLinesOtherwise) {
  TestCodec codec(Codec::Written::otherwise);
  FilterRun run;
  event::Arena arena;
  const LineMarks marks = LineMarks::make(io::real_world().random);
  const auto like = make_event(arena, marks.line, marks.offset);
  EXPECT_FALSE(LineForm::make(codec, {like, marks, {}}, run));
}

TEST(LineForm, MarksDifferEachTime) {
  auto& random = io::real_world().random;
  const auto a = LineMarks::make(random), b = LineMarks::make(random);
  EXPECT_NE(a.line, b.line);
  EXPECT_NE(a.offset, b.offset);
  EXPECT_EQ(std::to_string(a.offset).size(), 19U);
}
