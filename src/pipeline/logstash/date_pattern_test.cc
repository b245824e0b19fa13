#include "pipeline/logstash/date_pattern.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/time.h"
#include "pipeline/logstash/text_reference.h"

namespace enclave::pipeline::logstash {
namespace {

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  for (std::size_t bytes = 0; (bytes = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, bytes);
  ::pclose(pipe);
  return out;
}

/// Seconds of times all over the years that both sides can say, from a seed.
std::vector<std::int64_t> random_seconds(std::uint64_t seed, std::size_t count, int year_from, int year_to) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> when(days_from_civil(year_from, 1, 1) * 86'400,
                                                   days_from_civil(year_to, 1, 1) * 86'400);
  std::vector<std::int64_t> out(count);
  for (auto& one : out) one = when(random);
  return out;
}

struct Twin {
  const char* joda;
  const char* python;
};
constexpr Twin kTwins[] = {
    {"yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"},
    {"dd/MMM/yyyy:HH:mm:ss Z", "%d/%b/%Y:%H:%M:%S %z"},
    {"EEE MMM dd HH:mm:ss yyyy", "%a %b %d %H:%M:%S %Y"},
    {"yyyyMMddHHmmss", "%Y%m%d%H%M%S"},
    {"EEEE, dd MMMM yyyy hh:mm:ss a", "%A, %d %B %Y %I:%M:%S %p"},
    {"yyyy-DDD HH:mm:ss", "%Y-%j %H:%M:%S"},
    {"xxxx-'W'ww-e HH:mm:ss", "%G-W%V-%u %H:%M:%S"},
};

// The other side is Python's datetime, which knows nothing of us.
TEST(DatePatterns, PrintAndReadAsPythonDoesWhereThePatternsCoincide) {
  constexpr std::uint64_t kSeed = 20'261'123;
  const std::string file = testing::TempDir() + "date-twins.txt";
  const auto times = random_seconds(kSeed, 400, 1969, 2240);
  std::ofstream out(file);
  for (const auto& twin : kTwins)
    for (const std::int64_t seconds : times) out << twin.python << '\t' << seconds << '\n';
  out.close();
  const std::string printed =
      run("python3 -c '\n"
          "import sys\nfrom datetime import datetime, timedelta, timezone\n"
          "epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)\n"
          "for line in open(sys.argv[1]):\n"
          "    form, seconds = line.rstrip().split(\"\\t\")\n"
          "    text = (epoch + timedelta(seconds=int(seconds))).strftime(form)\n"
          "    back = datetime.strptime(text, form).replace(tzinfo=timezone.utc)\n"
          "    print(text, round((back - epoch).total_seconds()), sep=\"\\t\")\n' " +
          file);
  std::filesystem::remove(file);
  std::istringstream lines(printed);
  const Timezone utc = Timezone::utc();
  std::size_t compared = 0;
  for (const auto& twin : kTwins) {
    const auto pattern = DatePattern::compile(twin.joda, DatePattern::Language::joda);
    ASSERT_TRUE(pattern) << twin.joda;
    for (const std::int64_t seconds : times) {
      std::string theirs, back, ours;
      ASSERT_TRUE(std::getline(lines, theirs, '\t') && std::getline(lines, back)) << printed.substr(0, 300);
      pattern->append(seconds * 1'000'000'000, utc, ours);
      ASSERT_EQ(ours, theirs) << twin.joda << ", " << seconds;
      const auto read = pattern->parse(theirs, {utc, 0, 2000, nullptr});
      ASSERT_TRUE(read) << twin.joda << ": " << theirs;
      ASSERT_EQ(std::to_string(read->wall_ns / 1'000'000'000), back) << twin.joda << ": " << theirs;
      ++compared;
    }
  }
  EXPECT_EQ(compared, std::size(kTwins) * times.size());
}

// Python's zoneinfo reads the same files by its own code.
TEST(Timezones, AreAsFarFromUtcAsPythonSays) {
  const std::vector<std::string> names = {"Europe/Berlin",
                                          "America/New_York",
                                          "Australia/Lord_Howe",
                                          "Africa/Casablanca",
                                          "Asia/Kolkata",
                                          "America/Sao_Paulo",
                                          "Pacific/Apia",
                                          "Europe/Dublin",
                                          "Asia/Tehran",
                                          "Antarctica/Troll",
                                          "UTC"};
  for (const auto& name : names) {
    const auto zone = Timezone::from_tzif(read_whole("/usr/share/zoneinfo/" + name), name);
    ASSERT_TRUE(zone) << name << ": " << zone.error().text();
    const auto times = random_seconds(7, 300, 1900, 2200);
    const std::string file = testing::TempDir() + "zone-twins.txt";
    std::ofstream out(file);
    for (const std::int64_t seconds : times) out << seconds << '\n';
    out.close();
    const std::string printed =
        run("python3 -c '\n"
            "import sys\nfrom datetime import datetime, timedelta, timezone\nfrom zoneinfo import ZoneInfo\n"
            "epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)\nzone = ZoneInfo(sys.argv[2])\n"
            "for line in open(sys.argv[1]):\n"
            "    local = (epoch + timedelta(seconds=int(line))).astimezone(zone)\n"
            "    print(round(local.utcoffset().total_seconds()), local.tzname())\n' " +
            file + " " + name);
    std::filesystem::remove(file);
    std::istringstream lines(printed);
    for (const std::int64_t seconds : times) {
      std::string theirs;
      ASSERT_TRUE(std::getline(lines, theirs)) << printed.substr(0, 300);
      const auto local = zone->at(seconds);
      ASSERT_EQ(fmt::format("{} {}", local.offset_seconds, local.abbreviation), theirs) << name << " at " << seconds;
    }
  }
}

TEST(Timezones, ALocalTimeLeadsBackToItsMoment) {
  const auto zone = Timezone::from_tzif(read_whole("/usr/share/zoneinfo/Europe/Berlin"), "Europe/Berlin");
  ASSERT_TRUE(zone);
  for (const std::int64_t seconds : random_seconds(9, 5000, 1980, 2100)) {
    const std::int64_t local = seconds + zone->at(seconds).offset_seconds;
    const auto back = zone->to_utc(local, Timezone::Gap::refuse);
    ASSERT_TRUE(back) << seconds;
    ASSERT_TRUE(*back == seconds || *back == seconds - 3600) << seconds;
  }
}

TEST(Timezones, AreReadFromOffsetsByName) {
  EXPECT_EQ(Timezone::from_offset_name("+02:00")->at(0).offset_seconds, 7200);
  EXPECT_EQ(Timezone::from_offset_name("UTC-0530")->at(0).offset_seconds, -19'800);
  EXPECT_TRUE(Timezone::from_offset_name("GMT")->is_utc());
  for (const auto* wrong : {"", "Europe/Berlin", "+19:00", "+2:60", "+", "2"})
    EXPECT_FALSE(Timezone::from_offset_name(wrong)) << wrong;
}

TEST(Timezones, OfNamesThatLeaveTheFolderAreRefused) {
  EXPECT_TRUE(is_zone_name("America/Argentina/Buenos_Aires"));
  EXPECT_TRUE(is_zone_name("Etc/GMT+5"));
  for (const auto* wrong : {"", "/etc/passwd", "../passwd", "a b", "a\n"}) EXPECT_FALSE(is_zone_name(wrong)) << wrong;
}

TEST(Timezones, AFileThatIsCutIsRefused) {
  const std::string bytes = read_whole("/usr/share/zoneinfo/Europe/Berlin");
  std::size_t refused = 0;
  const std::size_t footer = bytes.rfind('\n', bytes.size() - 2);
  for (std::size_t length = 0; length < footer; ++length)
    refused += !Timezone::from_tzif(bytes.substr(0, length), "cut");
  EXPECT_EQ(refused, footer);
}

TEST(DatePatterns, CountTheirBytesSoThatPrintingNeedsNoMoreMemory) {
  const auto text = TextReference::compile("/x/%{+YYYY.MM.dd}/%{[a]}-%{+%s}");
  ASSERT_TRUE(text);
  std::string out;
  out.reserve(200);
  const char* before = out.data();
  text->append(
      1'795'462'496'000'000'000, 0, [](const auto&, std::string& to) { return to += "v", true; }, out);
  EXPECT_EQ(out, "/x/2026.11.23/v-1795462496");
  EXPECT_EQ(out.data(), before);
}

TEST(DatePatterns, SayWhatTheyName) {
  const auto pattern = [](std::string_view text) { return *DatePattern::compile(text, DatePattern::Language::joda); };
  EXPECT_TRUE(pattern("yy").has_year());
  EXPECT_FALSE(pattern("MMM dd").has_year());
  EXPECT_TRUE(pattern("HH:mm ZZ").has_zone());
  EXPECT_FALSE(pattern("HH:mm 'Z'").has_zone());
}

TEST(DatePatterns, OfTooManyBytesAreRefused) {
  const auto pattern = DatePattern::compile(std::string(300, '-'), DatePattern::Language::joda);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().fault(), Fault::limit);
}

}  // namespace
}  // namespace enclave::pipeline::logstash
