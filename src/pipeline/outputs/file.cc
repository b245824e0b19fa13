#include <fmt/format.h>

#include <charconv>
#include <unordered_map>

#include "pipeline/file_target.h"
#include "pipeline/gzip_member.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/output.h"
#include "pipeline/target_path.h"

namespace enclave::pipeline {
namespace {

struct Settings {
  CodecChoice codec;
  TargetPath path;
  FileTargets::Options files;
  bool gzip = false;
};

/// Encodes events, and puts those of one file together.
class FilePacker final : public Packer {
 public:
  explicit FilePacker(const Settings& settings) : settings_(settings), codec_(settings.codec.make()) {}

  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& run,
            Parcel& into) override {
    if (events.empty()) return;
    known_.clear();
    into.events = events.size();
    // Only the last event of a file matters there: each is a piece of its own.
    if (settings_.path.is_constant() && !settings_.files.overwrite) return pack_one_file(events, run, into);
    for (const event::Document& event : events) {
      const std::uint32_t target = target_of(event, run, into);
      const std::size_t begin = into.bytes.size();
      codec_->encode(event, run, into.bytes);
      if (!settings_.files.overwrite && !into.pieces.empty() && into.pieces.back().target == target) {
        into.pieces.back().end = into.bytes.size();
        ++into.pieces.back().events;
      } else {
        into.pieces.push_back({begin, into.bytes.size(), target, 1});
      }
    }
    if (settings_.gzip) compress(into);
  }

 private:
  void pack_one_file(std::span<const event::Document> events, FilterRun& run, Parcel& into) {
    std::string& bytes = settings_.gzip ? plain_ : into.bytes;
    bytes.clear();
    for (const event::Document& event : events) codec_->encode(event, run, bytes);
    if (settings_.gzip) gzip_.member(plain_, into.bytes);
    into.targets.push_back(settings_.path.constant());
    into.pieces.push_back({0, into.bytes.size(), 0, static_cast<std::uint32_t>(events.size())});
  }

  std::uint32_t target_of(const event::Document& event, FilterRun& run, Parcel& into) {
    if (settings_.path.is_constant()) return into.target(settings_.path.constant());
    (void)settings_.path.append(event, run.now_ns, run.scratch, path_);
    if (!into.targets.empty() && into.targets.back() == path_)
      return static_cast<std::uint32_t>(into.targets.size() - 1);
    // Events may name as many files as there are events: looking through all of them would cost the square.
    const auto [at, is_new] = known_.try_emplace(path_, static_cast<std::uint32_t>(into.targets.size()));
    if (is_new) into.targets.push_back(path_);
    return at->second;
  }

  /// One gzip member for each file.
  void compress(Parcel& into) {
    std::string compressed;
    std::vector<std::vector<const Parcel::Piece*>> of(into.targets.size());
    for (const auto& piece : into.pieces) of[piece.target].push_back(&piece);
    std::vector<Parcel::Piece> pieces;
    for (std::uint32_t target = 0; target < of.size(); ++target) {
      plain_.clear();
      std::uint32_t events = 0;
      if (settings_.files.overwrite) of[target].erase(of[target].begin(), of[target].end() - 1);
      for (const auto* piece : of[target]) {
        plain_.append(into.bytes, piece->begin, piece->end - piece->begin);
        events += piece->events;
      }
      const std::size_t begin = compressed.size();
      gzip_.member(plain_, compressed);
      pieces.push_back({begin, compressed.size(), target, events});
    }
    into.bytes.swap(compressed);
    into.pieces.swap(pieces);
  }

  const Settings& settings_;
  std::unique_ptr<Codec> codec_;
  GzipWriter gzip_;
  std::string path_, plain_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

class FileOutput final : public Output {
 public:
  explicit FileOutput(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    files_ = std::make_unique<FileTargets>(settings_.files, setup);
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<FilePacker>(settings_); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    pieces_.resize(std::max(pieces_.size(), parcel.targets.size()));
    for (const auto& piece : parcel.pieces) {
      auto& of = pieces_[piece.target];
      if (settings_.files.overwrite) of.clear();
      of.push_back(std::string_view(parcel.bytes).substr(piece.begin, piece.end - piece.begin));
    }
    for (std::size_t target = 0; target < parcel.targets.size(); ++target) {
      const auto done = files_->append(parcel.targets[target], pieces_[target]);
      pieces_[target].clear();
      if (!done) {
        pieces_.clear();
        return done;
      }
    }
    last_ = ticket;
    return {};
  }

  Result<std::uint64_t> settle(bool /*wait*/) override {
    TRY(files_->sync());
    return last_;
  }

 private:
  Settings settings_;
  std::unique_ptr<FileTargets> files_;
  std::vector<std::vector<std::string_view>> pieces_;  ///< of each target of a parcel
  std::uint64_t last_ = 0;
};

/// As Logstash has it: -1 is the default; a number with a leading 0 is octal.
unsigned mode_of(logstash::PluginOptions& options, std::string_view name, unsigned otherwise) {
  const auto text = options.text_if_set(name);
  if (!text || *text == "-1") return otherwise;
  unsigned mode = 0;
  const bool octal = text->starts_with('0');
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), mode, octal ? 8 : 10);
  if (error != std::errc() || end != text->data() + text->size() || mode > 07777) {
    options.mistake(name, fmt::format("\"{}\" is no mode; write it with a leading 0, such as 0640", *text));
    return otherwise;
  }
  if (!octal && text->find_first_of("89") == std::string::npos)
    options.warning(name,
                    fmt::format("{} is a decimal number here and means the mode 0{:o}; write 0{}", *text, mode, *text));
  return mode;
}

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kBehaviors[] = {"append", "overwrite"};
  CodecChoice codec(options, "json_lines", world);
  const std::string failure = options.text("filename_failure", "_filepath_failures");
  if (!options.has("path")) options.mistake("path", "is wanted: path => \"/var/log/collected/%{host}.log\"");
  TargetPath path(options, "path", failure);
  FileTargets::Options files;
  files.failure = path.failure();
  files.from_events = !path.is_constant();
  files.file_mode = mode_of(options, "file_mode", 0666);
  files.folder_mode = mode_of(options, "dir_mode", 0777);
  files.create_if_deleted = options.boolean("create_if_deleted", true);
  files.overwrite = options.choice("write_behavior", kBehaviors, "append") == "overwrite";
  files.stale_after = std::chrono::seconds(options.number("stale_cleanup_interval", 10, 1, 86'400));
  files.gzip = options.boolean("gzip", false);
  // What is written is in the kernel's hands at once: there is nothing to flush.
  (void)options.real("flush_interval", 2);
  if (options.failed()) return nullptr;
  const bool gzip = files.gzip;
  return std::make_unique<FileOutput>(Settings{std::move(codec), std::move(path), std::move(files), gzip});
}

}  // namespace

extern const OutputPlugin output_file;
const OutputPlugin output_file = {"file", "Appends to files.", make};

}  // namespace enclave::pipeline
