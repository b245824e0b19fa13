#include "cli/rotating_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "cli/json.h"
#include "pipeline/rotation.h"

namespace enclave::cli {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error", "critical"};
constexpr std::size_t kTextBytesMax = 64 << 10;

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

std::string RotatingLog::today() const { return pipeline::date_of_generation(world_.clock.wall_ns()); }

Result<void> RotatingLog::begin(bool rotate) {
  path_ = TRY(pipeline::begin_generation(world_.files, {options_.folder, options_.name, options_.keep, options_.dated},
                                         world_.clock.wall_ns(), rotate));
  file_ = TRY(world_.files.create(path_, Create::keep));
  bytes_ = TRY(file_->info()).bytes;
  std::error_code no_right;
  std::filesystem::permissions(path_, static_cast<std::filesystem::perms>(options_.mode & 07777), no_right);
  return {};
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
