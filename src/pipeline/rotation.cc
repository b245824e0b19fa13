#include "pipeline/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "base/files.h"
#include "base/time.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kSuffix = ".ndjson";
constexpr std::size_t kDateBytes = 8;

using Order = std::pair<std::string, std::uint64_t>;

/// "20260101" of a dated name and its number, for their order.
std::optional<Order> order_of(std::string_view file, std::string_view name) {
  if (!file.starts_with(name) || !file.ends_with(kSuffix)) return std::nullopt;
  if (file.size() < name.size() + 1 + kDateBytes + kSuffix.size()) return std::nullopt;
  file = file.substr(name.size(), file.size() - name.size() - kSuffix.size());
  if (file[0] != '-') return std::nullopt;
  const std::string date(file.substr(1, kDateBytes));
  file.remove_prefix(1 + kDateBytes);
  if (!std::ranges::all_of(date, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  if (file.empty()) return Order(date, 0);
  if (file[0] != '-') return std::nullopt;
  const auto number = parse_number(file.substr(1));
  return number ? std::optional(Order(date, *number)) : std::nullopt;
}

Result<std::string> begin_dated(Files& files, const Generations& of, std::int64_t wall_ns, bool anew) {
  const std::string today = date_of_generation(wall_ns);
  const auto all = dated_generations(files, of);
  std::optional<Order> newest;
  for (const auto& one : all)
    if (const auto order = order_of(one, of.name); order->first == today) newest = order;
  const std::uint64_t number = !newest ? 0 : newest->second + (anew ? 1 : 0);
  // The one that is begun now is not among them yet.
  const std::size_t older = all.size() - (newest && !anew ? 1 : 0);
  for (std::size_t i = 0; i + of.keep < older; ++i) TRY(files.remove(join_path(of.folder, all[i])));
  return join_path(of.folder,
                   fmt::format("{}-{}{}{}", of.name, today, number > 0 ? fmt::format("-{}", number) : "", kSuffix));
}

}  // namespace

std::string date_of_generation(std::int64_t wall_ns) {
  std::string date = format_time(wall_ns).substr(0, 10);
  std::erase(date, '-');
  return date;
}

std::vector<std::string> dated_generations(Files& files, const Generations& of) {
  std::vector<std::pair<Order, std::string>> found;
  const auto entries = files.list(of.folder);
  if (!entries) return {};
  for (const auto& entry : *entries)
    if (auto order = order_of(entry.name, of.name)) found.emplace_back(std::move(*order), entry.name);
  std::ranges::sort(found);
  std::vector<std::string> names;
  for (auto& [order, name] : found) names.push_back(std::move(name));
  return names;
}

Result<std::string> begin_generation(Files& files, const Generations& of, std::int64_t wall_ns, bool anew) {
  if (of.dated) return begin_dated(files, of, wall_ns, anew);
  const std::string path = join_path(of.folder, of.name);
  if (!anew || !files.info(path)) return path;
  for (std::size_t i = of.keep; i > 0; --i) {
    const std::string from = i == 1 ? path : fmt::format("{}.{}", path, i - 1);
    if (files.info(from)) TRY(files.rename(from, fmt::format("{}.{}", path, i)));
  }
  return path;
}

}  // namespace enclave::pipeline
