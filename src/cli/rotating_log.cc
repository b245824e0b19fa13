#include "cli/rotating_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "base/files.h"
#include "cli/json.h"

namespace enclave::cli {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error", "critical"};
constexpr std::string_view kSuffix = ".ndjson";
constexpr std::size_t kDateBytes = 8, kTextBytesMax = 64 << 10;

/// "20260101" of a dated name and its number, for their order.
std::optional<std::pair<std::string, std::uint64_t>> order_of(std::string_view file, std::string_view name) {
  if (!file.starts_with(name) || !file.ends_with(kSuffix)) return std::nullopt;
  file = file.substr(name.size(), file.size() - name.size() - kSuffix.size());
  if (file.size() < 1 + kDateBytes || file[0] != '-') return std::nullopt;
  const std::string date(file.substr(1, kDateBytes));
  file.remove_prefix(1 + kDateBytes);
  if (!std::ranges::all_of(date, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  if (file.empty()) return std::pair(date, std::uint64_t{0});
  if (file[0] != '-') return std::nullopt;
  const auto number = parse_number(file.substr(1));
  return number ? std::optional(std::pair(date, *number)) : std::nullopt;
}

}  // namespace

RotatingLog::Level level_of(std::string_view name) {
  const auto* const found = std::ranges::find(kLevels, name);
  return found == std::end(kLevels) ? RotatingLog::Level::info
                                    : static_cast<RotatingLog::Level>(found - std::begin(kLevels));
}

Result<std::unique_ptr<RotatingLog>> RotatingLog::open(World world, Options options) {
  TRY(make_directories(world.files, options.folder));
  std::unique_ptr<RotatingLog> log(new RotatingLog(world, std::move(options)));
  TRY(log->begin(log->options_.at_startup));
  return log;
}

std::string RotatingLog::today() const {
  std::string date = format_time(world_.clock.wall_ns()).substr(0, 10);
  std::erase(date, '-');
  return date;
}

std::vector<std::string> RotatingLog::files() const {
  std::vector<std::pair<std::pair<std::string, std::uint64_t>, std::string>> found;
  const auto entries = world_.files.list(options_.folder);
  if (!entries) return {};
  for (const auto& entry : *entries)
    if (const auto order = order_of(entry.name, options_.name)) found.emplace_back(*order, entry.name);
  std::ranges::sort(found);
  std::vector<std::string> names;
  for (auto& [order, name] : found) names.push_back(std::move(name));
  return names;
}

Result<void> RotatingLog::begin(bool rotate) {
  if (options_.dated) {
    std::uint64_t number = 0;
    for (const auto& file : files())
      if (const auto order = order_of(file, options_.name); order->first == today())
        number = order->second + (rotate ? 1 : 0);
    path_ = join_path(options_.folder, fmt::format("{}-{}{}{}", options_.name, today(),
                                                   number > 0 ? fmt::format("-{}", number) : "", kSuffix));
  } else {
    path_ = join_path(options_.folder, options_.name);
    if (rotate && world_.files.info(path_)) {
      for (std::size_t i = options_.keep; i > 0; --i) {
        const std::string from = i == 1 ? path_ : fmt::format("{}.{}", path_, i - 1);
        if (world_.files.info(from)) TRY(world_.files.rename(from, fmt::format("{}.{}", path_, i)));
      }
    }
  }
  file_ = TRY(world_.files.create(path_, Create::keep));
  bytes_ = TRY(file_->info()).bytes;
  std::error_code no_right;
  std::filesystem::permissions(path_, static_cast<std::filesystem::perms>(options_.mode & 07777), no_right);
  forget_old();
  return {};
}

void RotatingLog::forget_old() const {
  if (!options_.dated) return;
  const auto all = files();
  for (std::size_t i = 0; i + options_.keep + 1 < all.size(); ++i)
    (void)world_.files.remove(join_path(options_.folder, all[i]));
}

Result<void> RotatingLog::rotate() {
  file_.reset();
  return begin(true);
}

void RotatingLog::write(Level level, std::string_view text) {
  if (level < options_.least) return;
  text = text.substr(0, kTextBytesMax);
  constexpr std::size_t kToMilliseconds = 23;  // 2026-01-02T03:04:05.678
  const std::string time = format_time(world_.clock.wall_ns()).substr(0, kToMilliseconds) + "Z";
  const std::string_view word = kLevels[static_cast<std::size_t>(level)];
  std::string line;
  if (options_.json) {
    JsonObject object;
    object.text("log.level", word == "warning" ? "warn" : word).text("@timestamp", time).text("message", text);
    line = object.text("service.name", options_.name).done() + "\n";
  } else {
    std::string plain(text);
    std::ranges::replace(plain, '\n', ' ');
    std::string upper = word == "warning" ? "WARN" : std::string(word);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c ^ 0x20) : c;
    line = fmt::format("{}\t{}\t{}\n", time, upper, plain);
  }
  const std::lock_guard lock(mutex_);
  const bool is_new_day = options_.dated && path_.find(today()) == std::string::npos;
  if (file_ == nullptr || is_new_day || (bytes_ > 0 && bytes_ + line.size() > options_.bytes_max))
    if (!rotate()) return;
  if (file_->write_at(bytes_, line)) bytes_ += line.size();
}

}  // namespace enclave::cli
