#include <optional>

#include "io/growing_file.h"
#include "io/patience.h"
#include "pipeline/codec_packer.h"
#include "pipeline/filebeat/event_codec.h"
#include "pipeline/filebeat/outputs_detail.h"
#include "pipeline/rotation.h"

namespace enclave::pipeline::filebeat {
namespace {

struct Settings {
  std::function<std::unique_ptr<Codec>()> codec;
  Generations generations;
  std::uint64_t bytes_max = 0;
  unsigned mode = 0600;
  bool at_startup = true;
};

/// Lines in files that are rotated by their size. What is delivered is on the disk when it is settled, whatever file it
/// went to; a line is never parted, and one that is longer than a file may be has a file of its own.
class RotatingFile final : public Output {
 public:
  explicit RotatingFile(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    setup_.emplace(setup);
    patience_.emplace(setup.stopping, std::chrono::milliseconds(100), std::chrono::seconds(2));
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(settings_.codec()); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    const std::string_view all = parcel.bytes;
    for (std::size_t next = 0; next < parcel.pieces.size();) {
      TRY(patiently([&] { return file_ && file_->is_at(path_) ? Result<void>{} : begin(anew_); }));
      pieces_.clear();
      std::uint64_t bytes = bytes_;
      for (std::size_t i = next; i < parcel.pieces.size(); ++i) {
        const auto piece = all.substr(parcel.pieces[i].begin, parcel.pieces[i].end - parcel.pieces[i].begin);
        if (bytes > 0 && bytes + piece.size() > settings_.bytes_max) break;
        bytes += piece.size();
        pieces_.push_back(piece);
      }
      next += pieces_.size();
      TRY(append());
      // Only for what is to come: a file that is just full stays the current one.
      if (next < parcel.pieces.size()) TRY(patiently([&] { return rotate(); }));
    }
    last_ = ticket;
    return {};
  }

  Result<std::uint64_t> settle(bool /*wait*/) override {
    TRY(sync());
    return last_;
  }

 private:
  /// Until it goes well, or the program stops.
  template <class Act>
  Result<void> patiently(Act act) {
    for (;;) {
      const Result<void> done = act();
      if (done) {
        if (std::exchange(troubled_, false)) setup_->log.resolved(setup_->id);
        patience_->reset();
        return {};
      }
      troubled_ = true;
      setup_->log.trouble(setup_->id, done.error().text());
      if (!patience_->wait()) return Error{Fault::busy, "{}: the program stops", done.error().text()};
    }
  }

  Result<void> begin(bool anew) {
    const Generations& of = settings_.generations;
    // Somebody took it away under its name: what was written to it counts all the same.
    if (file_) TRY(file_->sync());
    TRY(io::make_folders(of.folder, folder_mode()));
    path_ = TRY(begin_generation(setup_->world.files, of, setup_->world.clock.wall_ns(), anew));
    file_.emplace(TRY(io::GrowingFile::open(path_, {settings_.mode, true})));
    anew_ = false;
    dirty_folder_ = dirty_ = true;
    bytes_ = file_->bytes_at_open();
    if (bytes_ == 0 || file_->last_byte() == '\n') return {};
    // A line that a crash has torn must not swallow the next one.
    constexpr std::string_view kEnd[] = {"\n"};
    std::size_t written = 0;
    const auto done = file_->append(kEnd, written);
    bytes_ += written;
    return done;
  }

  Result<void> rotate() {
    if (file_) TRY(file_->sync());
    file_.reset();
    anew_ = true;
    setup_->log.count("files_rotated", 1);
    return {};
  }

  /// All of pieces_; after a full disk what is left of them.
  Result<void> append() {
    return patiently([&]() -> Result<void> {
      if (pieces_.empty()) return {};
      dirty_ = true;
      std::size_t written = 0;
      const auto done = file_->append(pieces_, written);
      bytes_ += written;
      auto first = pieces_.begin();
      while (first != pieces_.end() && written >= first->size()) written -= (first++)->size();
      pieces_.erase(pieces_.begin(), first);
      if (!pieces_.empty()) pieces_.front().remove_prefix(written);
      return done;
    });
  }

  Result<void> sync() {
    if (dirty_ && file_) TRY(file_->sync());
    dirty_ = false;
    if (dirty_folder_) TRY(setup_->world.files.sync_directory(settings_.generations.folder));
    dirty_folder_ = false;
    return {};
  }

  /// Who may read the files may find them.
  unsigned folder_mode() const {
    return 0700 | ((settings_.mode & 0070) != 0 ? 0050U : 0U) | ((settings_.mode & 0007) != 0 ? 0005U : 0U);
  }

  const Settings settings_;
  std::optional<OutputSetup> setup_;
  std::optional<io::Patience> patience_;
  std::optional<io::GrowingFile> file_;
  std::string path_;
  std::vector<std::string_view> pieces_;  ///< of the parcel at hand
  std::uint64_t bytes_ = 0;               ///< of the file
  std::uint64_t last_ = 0;
  bool anew_ = settings_.at_startup;  ///< the next file is not one that is there
  bool dirty_ = false, dirty_folder_ = false, troubled_ = false;
};

}  // namespace

std::unique_ptr<Output> make_file(const Config& config, Diagnostics& diagnostics) {
  const FileOutput& from = config.file;
  Settings settings;
  settings.codec = event_codec(from.codec, "output.file", config.output_place, diagnostics);
  if (!settings.codec) return nullptr;
  settings.generations = {from.path, from.filename, static_cast<std::size_t>(from.number_of_files),
                          config.generation >= 8};
  settings.bytes_max = static_cast<std::uint64_t>(from.rotate_every_kb) * 1024;
  settings.mode = from.permissions.bits;
  // Generation 6 always does.
  settings.at_startup = from.rotate_on_startup;
  return std::make_unique<RotatingFile>(std::move(settings));
}

}  // namespace enclave::pipeline::filebeat
