#include <fmt/format.h>

#include <charconv>

#include "pipeline/file_target.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/output.h"
#include "pipeline/target_packer.h"
#include "pipeline/target_path.h"

namespace enclave::pipeline {
namespace {

struct Settings {
  CodecChoice codec;
  TargetPath path;
  FileTargets::Options files;
  bool gzip = false;
};

class FileOutput final : public Output {
 public:
  explicit FileOutput(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    files_ = std::make_unique<FileTargets>(settings_.files, setup);
    return {};
  }
  std::unique_ptr<Packer> packer() const override {
    TargetPacker::Options options;
    options.codec = &settings_.codec;
    if (settings_.path.is_constant()) options.constant = &settings_.path.constant();
    options.name = [this](const event::Document& event, FilterRun& run, std::string& into) {
      (void)settings_.path.append(event, run.now_ns, run.scratch, into);
    };
    options.gzip = settings_.gzip;
    options.last_only = settings_.files.overwrite;
    return std::make_unique<TargetPacker>(std::move(options));
  }

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
