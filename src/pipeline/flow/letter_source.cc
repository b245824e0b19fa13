#include "pipeline/flow/letter_source.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/encoding.h"
#include "base/files.h"
#include "pipeline/flow/dead_letters.h"
#include "pipeline/flow/letter_lines.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kSourcePrefix = "letters:", kDone = "done", kSuffix = ".ndjson";
constexpr std::int64_t kLookEveryNs = 1'000'000'000;

class LetterInput final : public Input {
 public:
  LetterInput(std::string directory, const SourceSetup& setup)
      : directory_(join_path(directory, kReplayName)), world_(setup.world), log_(setup.log) {
    for (auto& [source, state] : setup.positions.all(kSourcePrefix))
      positions_.emplace(source.substr(kSourcePrefix.size()), state);
  }

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    if (!current_) TRY(look());
    if (current_) return read(batch, budget);
    return forget(batch) ? Polled::more : Polled::idle;
  }

  Result<Polled> finish(event::Batch& batch, std::size_t budget) override {
    look_boot_ns_ = 0;
    const Polled polled = TRY(poll(batch, budget));
    return polled == Polled::idle ? Polled::end : polled;
  }

  void committed(const event::Batch& batch) override {
    for (const auto& range : batch.sources) {
      if (range.state != kDone) continue;
      const std::string name = range.source.substr(kSourcePrefix.size());
      remove(name);
    }
  }

  std::vector<int> descriptors() const override { return {}; }
  std::int64_t next_poll_boot_ns() const override { return look_boot_ns_; }

 private:
  std::string path_of(const std::string& name) const { return join_path(directory_, name + std::string(kSuffix)); }

  void remove(const std::string& name) {
    auto gone = world_.files.remove(path_of(name));
    if (gone) gone = world_.files.sync_directory(directory_);
    if (!gone && gone.error().fault() != Fault::absent)
      log_.trouble(path_of(name),
                   fmt::format("{}: has been replayed and cannot be removed: {}", path_of(name), gone.error().text()));
    gone_.push_back(name);
  }

  /// The oldest file that was not read yet.
  Result<void> look() {
    const std::int64_t now = world_.clock.boot_ns();
    if (now < look_boot_ns_) return {};
    look_boot_ns_ = now + kLookEveryNs;
    auto listed = world_.files.list(directory_);
    if (!listed && listed.error().fault() != Fault::absent) return listed.error();
    std::set<std::string> names;
    if (listed) {
      for (const auto& entry : *listed)
        if (entry.kind == FileKind::regular && entry.name.ends_with(kSuffix))
          names.insert(entry.name.substr(0, entry.name.size() - kSuffix.size()));
    }
    if (std::exchange(first_look_, false)) drop_old(names);
    for (const auto& name : names) {
      if (read_.contains(name)) continue;
      const auto known = positions_.find(name);
      current_ = TRY(LetterLines::open(world_.files, path_of(name)));
      name_ = name;
      if (known != positions_.end()) current_->seek(parse_number(known->second).value_or(0));
      return {};
    }
    return {};
  }

  /// What an earlier process had done with.
  void drop_old(std::set<std::string>& names) {
    for (const auto& [name, state] : positions_) {
      if (state == kDone && names.contains(name)) {
        names.erase(name);
        read_.insert(name);
        remove(name);
      } else if (!names.contains(name)) {
        gone_.push_back(name);
      }
    }
  }

  Result<Polled> read(event::Batch& batch, std::size_t budget) {
    const std::uint32_t source =
        batch.source(fmt::format("{}{}", kSourcePrefix, name_), std::to_string(current_->offset()));
    auto& range = batch.sources[source];
    std::size_t bytes = 0;
    while (bytes < budget) {
      const std::uint64_t offset = current_->offset();
      const auto line = TRY(current_->next());
      if (!line) {
        range.to = range.state = kDone;
        read_.insert(name_);
        current_.reset();
        look_boot_ns_ = 0;
        return Polled::more;
      }
      event::Event& event = batch.events.emplace_back();
      event.raw = batch.store(*line);
      event.source = source;
      event.offset = offset;
      ++range.count;
      bytes += line->size();
    }
    range.to = range.state = std::to_string(current_->offset());
    return Polled::more;
  }

  /// Their positions are kept no longer.
  bool forget(event::Batch& batch) {
    if (gone_.empty()) return false;
    for (const auto& name : gone_) {
      auto& range = batch.sources[batch.source(fmt::format("{}{}", kSourcePrefix, name), kDone)];
      range.to = kDone;
      range.state.clear();
      positions_.erase(name);
    }
    gone_.clear();
    return true;
  }

  const std::string directory_;
  World world_;
  InputLog& log_;
  std::map<std::string, std::string> positions_;  ///< as they were at the start, by the file's name
  std::set<std::string> read_;                    ///< to their end
  std::vector<std::string> gone_;                 ///< removed; their positions are to be forgotten
  std::string name_;                              ///< of current_
  std::optional<LetterLines> current_;
  std::int64_t look_boot_ns_ = 0;
  bool first_look_ = true;
};

class LetterSource final : public Source {
 public:
  explicit LetterSource(std::string directory) : directory_(std::move(directory)) {}
  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return std::unique_ptr<Input>(std::make_unique<LetterInput>(directory_, setup));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& /*from*/, event::Document& /*into*/) const override {
  }

 private:
  const std::string directory_;
};

}  // namespace

std::unique_ptr<Source> make_letter_source(std::string directory) {
  return std::make_unique<LetterSource>(std::move(directory));
}

}  // namespace enclave::pipeline
