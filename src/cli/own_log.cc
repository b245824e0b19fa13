#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"
#include "cli/verify_session.h"

/// docs/formats/log-layout.md, "In the state directory".
namespace enclave::cli {
namespace {

constexpr std::uint64_t kSmallFile = 64 << 10;

/// Names below `directory` that are numbers, in order; none when it is not there.
Result<std::vector<std::uint64_t>> numbers_in(Files& files, const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  const auto entries = files.list(directory);
  if (!entries && entries.error().fault() == Fault::absent) return numbers;
  if (!entries) return entries.error();
  for (const auto& entry : *entries)
    if (const auto number = parse_number(entry.name)) numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<OwnLog> own_log(Files& files, const std::string& state_directory) {
  OwnLog own;
  const std::string log = join_path(state_directory, "log");
  for (const std::uint64_t generation : TRY(numbers_in(files, log))) {
    const auto anchor = read_file(files, fmt::format("{}/{}/anchor", log, generation), kSmallFile);
    if (!anchor && anchor.error().fault() == Fault::absent) continue;
    own.anchors.push_back(first_line(TRY(Result<std::string>(anchor))));
  }
  const auto current = read_file(files, join_path(log, "current"), kSmallFile);
  if (!current) return own;
  // "<generation>\n<enclave>/<instance>\n<boot id>\n"
  const std::string name = first_line(current->substr(std::min(current->find('\n') + 1, current->size())));
  const std::string outbox = join_path(state_directory, "outbox");
  for (const std::uint64_t generation : TRY(numbers_in(files, outbox)))
    for (const std::uint64_t index : TRY(numbers_in(files, fmt::format("{}/{}", outbox, generation))))
      own.pending_objects.push_back(fmt::format("v1/{}/g{}/b/{:020}.ndjson.zst.age", name, generation, index));
  return own;
}

}  // namespace enclave::cli
