#include "cloud/upload_journal.h"

#include <array>

#include "base/encoding.h"
#include "base/files.h"
#include "crypto/digest.h"

namespace enclave::cloud {
namespace {

constexpr std::uint64_t kJournalBytesMax = 4 << 20;
constexpr std::size_t kPartsMax = 10'000;

struct Field {
  std::string_view name;
  std::string UploadState::*member;
};
// In hex: they may hold anything.
constexpr Field kTexts[] = {{"store", &UploadState::store},    {"key", &UploadState::key},
                            {"path", &UploadState::path},      {"id", &UploadState::id},
                            {"sha256", &UploadState::sha256},  {"recipients", &UploadState::recipients},
                            {"preface", &UploadState::preface}};

Result<void> take_line(std::string_view name, std::string_view value, UploadState& state) {
  for (const auto& field : kTexts) {
    if (name != field.name) continue;
    state.*field.member = TRY(from_hex(value));
    return {};
  }
  if (name == "file-key") {
    state.file_key = crypto::Secret(TRY(from_hex(value)));
  } else if (name == "bytes") {
    state.bytes = TRY(parse_number(value));
  } else if (name == "part-bytes") {
    state.part_bytes = TRY(parse_number(value));
  } else if (name == "part") {
    const auto space = value.find(' ');
    const std::string_view rest = space == value.npos ? std::string_view() : value.substr(space + 1);
    const auto second = rest.find(' ');
    if (second == rest.npos) return Error{Fault::corrupt, "a part without an ETag"};
    UploadPart part;
    const std::uint64_t number = TRY(parse_number(value.substr(0, space)));
    if (number < 1 || number > kPartsMax) return Error{Fault::corrupt, "a part with the number {}", number};
    part.number = static_cast<std::uint32_t>(number);
    part.bytes = TRY(parse_number(rest.substr(0, second)));
    part.etag = TRY(from_hex(rest.substr(second + 1)));
    if (state.parts.size() >= kPartsMax) return Error{Fault::limit, "more than {} parts", kPartsMax};
    state.parts.push_back(std::move(part));
  } else {
    return Error{Fault::corrupt, "\"{}\" is not known", name.substr(0, 40)};
  }
  return {};
}

std::string line_of(const UploadPart& part) {
  return fmt::format("part {} {} {}\n", part.number, part.bytes, to_hex(part.etag));
}

}  // namespace

std::string format_upload_state(const UploadState& state) {
  std::string text;
  for (const auto& field : kTexts) text += fmt::format("{} {}\n", field.name, to_hex(state.*field.member));
  text += fmt::format("file-key {}\nbytes {}\npart-bytes {}\n", to_hex(state.file_key.reveal()), state.bytes,
                      state.part_bytes);
  for (const auto& part : state.parts) text += line_of(part);
  return text;
}

Result<UploadState> parse_upload_state(std::string_view text) {
  UploadState state;
  // The last line may have been cut by a crash: it is sent again.
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto space = line.find(' ');
    if (space == line.npos) return Error{Fault::corrupt, "a line without a value"};
    TRY(take_line(line.substr(0, space), line.substr(space + 1), state));
  }
  if (state.id.empty() || state.key.empty() || state.part_bytes == 0)
    return Error{Fault::corrupt, "it lacks the upload's id, key or size of parts"};
  return state;
}

Result<std::unique_ptr<UploadJournal>> UploadJournal::open(World world, const std::string& directory,
                                                           const std::string& store, const std::string& key,
                                                           const std::string& path) {
  TRY(make_directories(world.files, directory));
  std::string whole = store;
  for (const std::string& part : {key, path}) whole += '\0' + part;
  const auto digest = crypto::sha256(whole);
  const std::string name = to_hex(bytes_of(digest)).substr(0, 32);
  auto lock = io::lock_file(join_path(directory, name + ".lock"));
  if (!lock) return std::move(lock).error().within(fmt::format("{} is being uploaded already", path));
  std::string file = join_path(directory, name + std::string(kUploadJournalEnding));
  return std::unique_ptr<UploadJournal>(new UploadJournal(world, std::move(file), std::move(*lock)));
}

Result<std::optional<UploadState>> UploadJournal::load() const {
  const auto text = read_file(world_.files, path_, kJournalBytesMax);
  if (!text && text.error().fault() == Fault::absent) return std::optional<UploadState>();
  if (!text) return text.error();
  auto state = parse_upload_state(*text);
  // A journal that cannot be read only costs the parts that were sent.
  if (!state) return std::optional<UploadState>();
  return std::optional<UploadState>(std::move(*state));
}

Result<void> UploadJournal::begin(const UploadState& state) {
  const std::string text = format_upload_state(state);
  TRY(replace_file(world_.files, path_, text));
  file_ = TRY(world_.files.create(path_, Create::keep));
  end_ = text.size();
  return {};
}

Result<void> UploadJournal::add(const UploadPart& part) {
  const std::string line = line_of(part);
  const std::lock_guard lock(mutex_);
  TRY(file_->write_at(end_, line));
  end_ += line.size();
  return {};
}

Result<void> UploadJournal::remove() {
  file_.reset();
  TRY(remove_if_there(world_.files, path_));
  return remove_if_there(world_.files, path_.substr(0, path_.size() - kUploadJournalEnding.size()) + ".lock");
}

}  // namespace enclave::cloud
