// Runs a fuzz target without libFuzzer: every file of its corpus, then mutations of them that follow from a seed alone.
// A crash, a sanitizer report or an input that takes too long prints the command that runs the same input again.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr std::size_t kInputBytesMax = 64 << 10;
constexpr unsigned kInputSecondsMax = 30;  // far above any honest input, sanitizers and a busy machine included

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t runs = 4000;
  std::uint64_t first = 0;
  std::uint64_t seconds = 3600;  ///< no further mutation begins after that
  std::vector<std::string> corpus;
};

// Written before each input, so that a dying process can say which one it was without allocating.
char g_replay[4096];

void say_replay() {
  const std::size_t length = std::char_traits<char>::length(g_replay);
  if (::write(STDERR_FILENO, g_replay, length) < 0) std::_Exit(1);
}

void on_signal(int signal) {
  constexpr std::string_view kSlow = "\nAn input takes too long.\n";
  if (signal == SIGALRM && ::write(STDERR_FILENO, kSlow.data(), kSlow.size()) < 0) std::_Exit(1);
  say_replay();
  std::_Exit(1);
}

void run(const std::string& input, const std::string& replay) {
  const std::string text = fmt::format("\nThe same input again: {}\n", replay);
  g_replay[text.copy(g_replay, sizeof g_replay - 1)] = '\0';
  ::alarm(kInputSecondsMax);
  // A copy of exactly this size, so that one byte too many is seen.
  const std::vector<std::uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  ::alarm(0);
}

using Rng = std::mt19937_64;

std::size_t below(Rng& rng, std::size_t bound) { return bound == 0 ? 0 : rng() % bound; }

std::string_view interesting(Rng& rng) {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTexts[] = {"\0"sv,
                                                "\n"sv,
                                                "\r\n"sv,
                                                " "sv,
                                                "\xff\xff\xff\xff"sv,
                                                "\0\0\0\0"sv,
                                                "\x7f\xff\xff\xff"sv,
                                                "-1"sv,
                                                "0"sv,
                                                "..\n"sv,
                                                "\t"sv,
                                                "\xc3\x28"sv,
                                                "18446744073709551615"sv,
                                                "{"sv,
                                                "}"sv,
                                                "["sv,
                                                "\""sv,
                                                "\\u0000"sv,
                                                "\xe2\x80\x94"sv,
                                                "&a "sv,
                                                "*a"sv,
                                                "%"sv,
                                                "="sv,
                                                "\x80\0\0\0\0\0\0\0"sv};
  return kTexts[below(rng, std::size(kTexts))];
}

void mutate_once(std::string& input, const std::string& other, Rng& rng) {
  const std::size_t at = below(rng, input.size() + 1);
  const std::size_t length = std::min(input.size() - at, 1 + below(rng, below(rng, 4) == 0 ? 256 : 8));
  switch (below(rng, 8)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(rng, 8)));
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(rng());
      break;
    case 2:
      input.insert(at, interesting(rng));
      break;
    case 3:
      input.erase(at, length);
      break;
    case 4:
      input.insert(at, input.substr(at, length));
      break;
    case 5:
      input.resize(at);
      break;
    case 6: {
      const std::string_view text = interesting(rng);
      input.replace(at, std::min(text.size(), input.size() - at), text);
      break;
    }
    default:
      input = input.substr(0, at) + other.substr(below(rng, other.size() + 1));
      break;
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
}

// Depends on nothing but corpus, seed and number, so one input can be made again alone.
std::string mutation(const std::vector<std::string>& corpus, std::uint64_t seed, std::uint64_t number) {
  Rng rng(seed * 0x9e3779b97f4a7c15ULL + number);
  std::string input = corpus[below(rng, corpus.size())];
  const std::string& other = corpus[below(rng, corpus.size())];
  for (std::size_t left = 1 + below(rng, 6); left > 0; --left) mutate_once(input, other, rng);
  return input;
}

std::vector<std::filesystem::path> files_of(const std::vector<std::string>& corpus) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : corpus) {
    if (std::filesystem::is_regular_file(path)) files.emplace_back(path);
    if (!std::filesystem::is_directory(path)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool parse(int argc, char** argv, Options& options) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (!name.starts_with("--")) {
      options.corpus.push_back(name);
      continue;
    }
    std::uint64_t* value = name == "--seed"      ? &options.seed
                           : name == "--runs"    ? &options.runs
                           : name == "--first"   ? &options.first
                           : name == "--seconds" ? &options.seconds
                                                 : nullptr;
    if (value == nullptr || ++i == arguments.size()) return false;
    const std::string& text = arguments[i];
    if (std::from_chars(text.data(), text.data() + text.size(), *value).ec != std::errc{}) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fmt::print(stderr, "usage: {} [--seed N] [--runs N] [--first N] [--seconds N] [CORPUS…]\n", argv[0]);
    return 64;
  }
  for (const int signal : {SIGABRT, SIGALRM}) std::signal(signal, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(say_replay);

  std::vector<std::string> corpus{std::string()};
  std::string paths;
  for (const auto& path : options.corpus) paths += ' ' + path;
  for (const auto& path : files_of(options.corpus)) {
    corpus.push_back(read(path));
    if (options.first == 0) run(corpus.back(), fmt::format("{} --runs 0 {}", argv[0], path.string()));
  }
  if (options.first == 0) run({}, fmt::format("{} --runs 0", argv[0]));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  std::uint64_t done = 0;
  for (; done < options.runs && std::chrono::steady_clock::now() < until; ++done)
    run(mutation(corpus, options.seed, options.first + done),
        fmt::format("{} --seed {} --first {} --runs 1{}", argv[0], options.seed, options.first + done, paths));
  fmt::print("{} files and {} mutations of them with seed {}\n", corpus.size() - 1, done, options.seed);
  return 0;
}
