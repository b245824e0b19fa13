#include <algorithm>

#include "base/files.h"
#include "pipeline/file_follower.h"

namespace enclave::pipeline {
namespace {

struct FileOptions {
  Strings paths;
  Strings exclude;
  ByteCount max_bytes = 10_MiB;
  Nanoseconds scan_frequency = std::chrono::seconds(10);
  Nanoseconds ignore_older{0};
  bool from_beginning = true;
  bool gzip = true;
  std::uint64_t open_files_max = 512;
  std::string encoding;
  std::string line_end;
};

constexpr Option<FileOptions> kFileOptions[] = {
    {"paths", &FileOptions::paths,
     "Files to follow, as patterns: * ? [a-z], and ** for up to 8 levels of directories."},
    {"exclude", &FileOptions::exclude, "Patterns of files to leave out. One without a slash is matched with the name."},
    {"max_bytes", &FileOptions::max_bytes, "Longer lines are cut, marked and counted. At most 16 MiB."},
    {"scan_frequency", &FileOptions::scan_frequency,
     "How often all files are looked at. Changes are mostly seen at once, without a scan."},
    {"ignore_older", &FileOptions::ignore_older, "Files that did not change for so long are not begun; 0s: all are."},
    {"from_beginning", &FileOptions::from_beginning,
     "Whether files that are there at the very first start are read from their beginning."},
    {"gzip", &FileOptions::gzip, "Whether .gz files are unpacked and read; if not, they are left out."},
    {"open_files_max", &FileOptions::open_files_max, "Files that are kept open at once; the others are opened again."},
    {"encoding", &FileOptions::encoding,
     "Of files in UTF-16: utf-16le, utf-16be, or utf-16 for files with a byte order mark. Lines are recorded in "
     "UTF-8."},
    {"line_end", &FileOptions::line_end, "What ends a line, 1 to 4 characters; without it LF, or CR LF."},
};

constexpr std::uint64_t kLineBytesMax = 16_MiB;

std::vector<Glob> parse_globs(const Node& config, std::string_view key, const Strings& texts,
                              Diagnostics& diagnostics) {
  std::vector<Glob> globs;
  const Node* node = config.find(key);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto glob = Glob::parse(texts[i]);
    const bool listed = node != nullptr && i < node->items.size();
    const Place place = listed ? node->items[i].place : node != nullptr ? node->place : config.place;
    if (glob) {
      globs.push_back(std::move(*glob));
    } else {
      diagnostics.error(place, fmt::format("{}: {}", key, glob.error().text()));
    }
  }
  return globs;
}

Place place_of(const Node& config, std::string_view key) {
  const Node* node = config.find(key);
  return node != nullptr ? node->place : config.place;
}

void read_cut(const Node& config, const FileOptions& options, FollowOptions& follow, Diagnostics& diagnostics) {
  constexpr std::size_t kEndBytesMax = 4;
  if (options.line_end.size() > kEndBytesMax)
    diagnostics.error(place_of(config, "line_end"), "line_end: at most 4 bytes");
  if (options.encoding.starts_with("utf-16")) {
    follow.by_mark = options.encoding == "utf-16" || options.encoding.ends_with("-bom");
    follow.end_only = options.line_end;
    const bool big = options.encoding.starts_with("utf-16be");
    follow.cut = LineCut::utf16(!big, options.line_end);
  } else if (!options.line_end.empty()) {
    follow.cut = {options.line_end, "", LineCut::Text::as_is};
  }
  constexpr std::string_view kEncodings[] = {"",           "utf-16le",     "utf-16be",    "utf-16",
                                             "utf-16-bom", "utf-16le-bom", "utf-16be-bom"};
  if (std::find(std::begin(kEncodings), std::end(kEncodings), options.encoding) == std::end(kEncodings))
    diagnostics.error(place_of(config, "encoding"),
                      fmt::format("encoding: {} is none of utf-16le, utf-16be, utf-16", options.encoding));
}

FollowOptions read_options(const Node& config, Diagnostics& diagnostics) {
  FileOptions options;
  parse_options<FileOptions>(config, kFileOptions, options, "a file input", diagnostics, kCommonInputKeys);
  FollowOptions follow;
  follow.paths = parse_globs(config, "paths", options.paths, diagnostics);
  follow.exclude = parse_globs(config, "exclude", options.exclude, diagnostics);
  if (options.paths.empty() && config.kind == Node::Kind::map)
    diagnostics.error(place_of(config, "paths"), "a file input needs paths, such as paths: [/var/log/*.log]");
  if (options.max_bytes == 0 || options.max_bytes > kLineBytesMax)
    diagnostics.error(place_of(config, "max_bytes"),
                      fmt::format("max_bytes: {} is not between 1 B and 16 MiB", format_bytes(options.max_bytes)));
  if (options.scan_frequency < std::chrono::milliseconds(100))
    diagnostics.error(place_of(config, "scan_frequency"), "scan_frequency: at least 100ms, such as 10s");
  if (options.open_files_max == 0) diagnostics.error(place_of(config, "open_files_max"), "open_files_max: at least 1");
  follow.line_bytes_max = options.max_bytes;
  follow.scan_every = options.scan_frequency;
  follow.ignore_older = options.ignore_older;
  follow.from_beginning = options.from_beginning;
  follow.gzip = options.gzip;
  follow.open_files_max = options.open_files_max;
  read_cut(config, options, follow, diagnostics);
  return follow;
}

void check_file(const Node& config, Diagnostics& diagnostics) { (void)read_options(config, diagnostics); }

bool is_read(const FollowOptions& options, const std::string& path) {
  const auto fits = [&](const Glob& glob) { return glob.matches(glob.is_name() ? name_in(path) : path); };
  return std::any_of(options.paths.begin(), options.paths.end(),
                     [&](const Glob& glob) { return glob.matches(path); }) &&
         std::none_of(options.exclude.begin(), options.exclude.end(), fits);
}

/// A path that both would read; "" when none is found. Not every overlap is: that would take both patterns apart.
std::string read_by_both(const FollowOptions& one, const FollowOptions& other) {
  for (const auto* options : {&one, &other})
    for (const Glob& glob : options->paths)
      for (const std::string_view filling : {"x", "", "x.log", "syslog"})
        if (const std::string path = glob.example(filling); !path.empty() && is_read(one, path) && is_read(other, path))
          return path;
  return {};
}

// Each would read the file from a position of its own, and the log would hold its lines twice.
void check_files(std::span<const Node* const> configs, Diagnostics& diagnostics) {
  std::vector<FollowOptions> options;
  Diagnostics said_before;
  for (const Node* config : configs) options.push_back(read_options(*config, said_before));
  for (std::size_t i = 1; i < options.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const std::string path = read_by_both(options[i], options[k]);
      if (path.empty()) continue;
      diagnostics.error(place_of(*configs[i], "paths"),
                        fmt::format("paths: the input on line {} would read {} too, and each line would be recorded "
                                    "twice; exclude it in one of them",
                                    configs[k]->place.line, path));
      break;
    }
}

Result<std::unique_ptr<Input>> open_file(const InputSetup& setup) {
  Diagnostics diagnostics;
  auto options = read_options(setup.config, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  return std::unique_ptr<Input>(
      std::make_unique<FileFollower>(std::move(options), setup.world, setup.positions, setup.log));
}

std::vector<OptionCard> file_options() { return cards_of<FileOptions>(kFileOptions); }

}  // namespace

extern const InputPlugin plugin_file;
const InputPlugin plugin_file{
    .name = "file",
    .help = "Follows log files through rotation: each line once, with its offset.",
    .options = file_options,
    .check = check_file,
    .open = open_file,
    .check_together = check_files,
};

}  // namespace enclave::pipeline
