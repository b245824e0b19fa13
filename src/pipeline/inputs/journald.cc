#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "pipeline/file_state.h"
#include "pipeline/input.h"
#include "pipeline/journal_fields.h"

namespace enclave::pipeline {
namespace {

struct JournalOptions {
  Strings paths;
  std::string seek = "cursor";
  Strings include_matches;
  Strings units;
};

constexpr std::string_view kSeekWords[] = {"cursor", "head", "tail"};

constexpr Option<JournalOptions> kJournalOptions[] = {
    {"paths", &JournalOptions::paths,
     "Journal files, read to their end, or directories, followed. None: the journal of this machine."},
    {"seek", &JournalOptions::seek,
     "Where to begin at the very first start: cursor and head at the oldest entry, tail behind the newest. Later "
     "starts go on where the last one stood.",
     kSeekWords},
    {"include_matches", &JournalOptions::include_matches,
     "FIELD=value: only such entries. Several of one field: any of them; of different fields: all of them."},
    {"units", &JournalOptions::units, "Only entries of and about these systemd units, such as ssh.service."},
};

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kOpenAgainNs = 10 * kSecond;
constexpr std::int64_t kLookAgainNs = 5 * kSecond;
// Values are unpacked into memory up to here; the record keeps less.
constexpr std::size_t kDataThreshold = 64 << 20;

struct JournalCloser {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};

std::string reason(int code) { return std::strerror(-code); }

/// One journal: that of the machine, one directory, or one file.
class Journal {
 public:
  Journal(const JournalOptions& options, std::string path, const Positions& positions, World world, InputLog& log)
      : options_(options), path_(std::move(path)), world_(world), log_(log) {
    source_ = path_.empty() ? "journal:" + machine() : "journal:" + escape_path(path_);
    if (auto cursor = positions.find(source_); cursor && !cursor->empty()) {
      cursor_ = std::move(*cursor);
      check_cursor_ = true;
    }
  }

  Input::Polled poll(event::Batch& batch, std::size_t& budget) {
    if (ended_) return Input::Polled::end;
    if (!journal_ && !open()) return Input::Polled::idle;
    // Takes notice of files that were added and rotated away.
    if (const int code = sd_journal_process(journal_.get()); code < 0) return fail("follow", code);
    std::uint32_t range = 0;
    std::uint64_t count = 0;
    lost_ = 0;
    const std::string from = cursor_;
    auto polled = Input::Polled::more;
    while (budget > 0 && polled == Input::Polled::more) {
      const int found = sd_journal_next(journal_.get());
      if (found < 0) {
        polled = fail("read", found);
      } else if (found == 0) {
        polled = is_file_ ? Input::Polled::end : Input::Polled::idle;
      } else if (!is_known()) {
        if (count++ == 0) range = batch.source(source_, from);
        budget -= std::min(budget, read_entry(batch, range));
      }
    }
    if (polled == Input::Polled::end) ended_ = true;
    if (std::exchange(announce_, false) && count == 0) range = batch.source(source_, cursor_), count = 1;
    if (count > 0) record(batch, range);
    return polled;
  }

  int descriptor() const { return journal_ && !ended_ ? sd_journal_get_fd(journal_.get()) : -1; }
  std::int64_t next_poll_boot_ns() const { return journal_ ? last_poll_ns_ + kLookAgainNs : next_open_ns_; }
  void polled_at(std::int64_t now_ns) { last_poll_ns_ = now_ns; }

 private:
  static std::string machine() {
    sd_id128_t id;
    if (sd_id128_get_machine(&id) < 0) return "local";
    char text[SD_ID128_STRING_MAX];
    return sd_id128_to_string(id, text);
  }

  std::string subject() const { return path_.empty() ? "journal" : path_; }

  bool open() {
    const std::int64_t now_ns = world_.clock.boot_ns();
    if (now_ns < next_open_ns_) return false;
    next_open_ns_ = now_ns + kOpenAgainNs;
    sd_journal* opened = nullptr;
    const int code = open_any(&opened);
    journal_.reset(opened);
    if (code < 0) {
      journal_.reset();
      trouble(fmt::format("cannot open the journal{}{}: {}; it is tried again every 10 seconds",
                          path_.empty() ? "" : " ", path_, reason(code)));
      return false;
    }
    sd_journal_set_data_threshold(journal_.get(), kDataThreshold);
    add_matches();
    // Asked for before the first entry is read, so that no change falls between.
    if (!is_file_) (void)sd_journal_get_fd(journal_.get());
    seek();
    if (path_.empty() && sd_journal_has_runtime_files(journal_.get()) <= 0 &&
        sd_journal_has_persistent_files(journal_.get()) <= 0) {
      trouble(
          "there is no journal on this machine that may be read; start systemd-journald, or run as root or in the "
          "group "
          "systemd-journal");
      journal_.reset();
      return false;
    }
    resolved();
    return true;
  }

  int open_any(sd_journal** opened) {
    is_file_ = false;
    if (path_.empty()) return sd_journal_open(opened, SD_JOURNAL_LOCAL_ONLY);
    struct stat found {};
    if (::stat(path_.c_str(), &found) != 0) return -errno;
    if (S_ISDIR(found.st_mode)) return sd_journal_open_directory(opened, path_.c_str(), 0);
    is_file_ = true;
    const char* const paths[] = {path_.c_str(), nullptr};
    // tidy: allow const_cast: the library's signature lacks a const
    return sd_journal_open_files(opened, const_cast<const char**>(paths), 0);
  }

  void match(const std::string& text) { sd_journal_add_match(journal_.get(), text.data(), text.size()); }

  void add_matches() {
    for (const auto& unit : options_.units) {
      // Messages of the unit, of systemd about it, of coredumps and of others on its behalf: as journalctl -u.
      match("_SYSTEMD_UNIT=" + unit);
      sd_journal_add_disjunction(journal_.get());
      match("_PID=1");
      match("UNIT=" + unit);
      sd_journal_add_disjunction(journal_.get());
      match("_UID=0");
      match("COREDUMP_UNIT=" + unit);
      sd_journal_add_disjunction(journal_.get());
      match("_UID=0");
      match("OBJECT_SYSTEMD_UNIT=" + unit);
      sd_journal_add_disjunction(journal_.get());
    }
    if (!options_.units.empty()) sd_journal_add_conjunction(journal_.get());
    for (const auto& text : options_.include_matches) match(text);
  }

  void seek() {
    if (!cursor_.empty()) {
      check_cursor_ = true;
      if (sd_journal_seek_cursor(journal_.get(), cursor_.c_str()) >= 0) return;
      trouble(fmt::format("the position {} is not a journal cursor; reading begins at the oldest entry", cursor_));
      check_cursor_ = false;
    } else if (options_.seek == "tail" && !is_file_) {
      sd_journal_seek_tail(journal_.get());
      if (sd_journal_previous(journal_.get()) > 0) {
        // Told at once, so that the next start reads what comes from here on.
        take_cursor();
        announce_ = true;
        return;
      }
    }
    sd_journal_seek_head(journal_.get());
  }

  // The first entry after a seek: the one that was read last, or, when that one is gone, the next one.
  bool is_known() {
    if (!std::exchange(check_cursor_, false)) return false;
    if (sd_journal_test_cursor(journal_.get(), cursor_.c_str()) > 0) return true;
    ++lost_;
    log_.count("entries_lost", 1);
    log_.trouble(
        fmt::format("lost: {}", subject()),
        fmt::format("{}: the entry that was read last is gone, and perhaps newer ones with it: the journal was "
                    "vacuumed; reading goes on at the next one",
                    source_));
    return false;
  }

  std::size_t read_entry(event::Batch& batch, std::uint32_t range) {
    fields_.clear();
    scratch_.clear();
    take_cursor();
    add_times();
    const bool damaged = !add_data();
    event::Event& event = batch.events.emplace_back();
    event.source = range;
    event.raw = batch.store(fields_.message());
    event.cut_bytes = fields_.message_cut();
    event.position = batch.store(cursor_);
    event.eol = event::Eol::none;
    json_.clear();
    const std::size_t cut = fields_.append_to(json_) + (event.cut_bytes > 0 ? 1 : 0);
    event.fields = batch.store(json_);
    if (cut > 0) log_.count("fields_cut", static_cast<std::int64_t>(cut));
    if (damaged) tell_damage();
    ++batch.sources[range].count;
    return event.raw.size() + event.fields.size() + event.position.size();
  }

  void take_cursor() {
    char* cursor = nullptr;
    if (sd_journal_get_cursor(journal_.get(), &cursor) >= 0 && cursor != nullptr) cursor_ = cursor;
    std::free(cursor);
  }

  void add_times() {
    std::uint64_t realtime = 0, monotonic = 0;
    sd_id128_t boot;
    if (sd_journal_get_realtime_usec(journal_.get(), &realtime) >= 0) {
      realtime_ = std::to_string(realtime);
      fields_.add("__REALTIME_TIMESTAMP", realtime_);
    }
    if (sd_journal_get_monotonic_usec(journal_.get(), &monotonic, &boot) < 0) return;
    monotonic_ = std::to_string(monotonic);
    fields_.add("__MONOTONIC_TIMESTAMP", monotonic_);
    sd_id128_to_string(boot, boot_);
  }

  // False when some of it cannot be read.
  bool add_data() {
    sd_journal_restart_data(journal_.get());
    for (;;) {
      const void* data = nullptr;
      std::size_t bytes = 0;
      const int code = sd_journal_enumerate_available_data(journal_.get(), &data, &bytes);
      if (code < 0) return false;
      if (code == 0) break;
      // What was enumerated is valid only until the next one.
      fields_.add_stored(scratch_.store({static_cast<const char*>(data), bytes}));
    }
    // Entries that came over the network have it in their header only.
    if (!fields_.has("_BOOT_ID")) fields_.add("_BOOT_ID", boot_);
    return true;
  }

  void tell_damage() {
    log_.count("entries_damaged", 1);
    log_.trouble(fmt::format("damaged: {}", subject()),
                 fmt::format("{}: an entry of the journal is damaged; what can be read of it is kept", source_));
  }

  void record(event::Batch& batch, std::uint32_t range) {
    event::SourceRange& written = batch.sources[range];
    written.to = cursor_;
    written.state = cursor_;
    written.lost += lost_;
  }

  Input::Polled fail(std::string_view action, int code) {
    trouble(fmt::format("cannot {} the journal{}{}: {}; it is opened again in 10 seconds", action,
                        path_.empty() ? "" : " ", path_, reason(code)));
    journal_.reset();
    next_open_ns_ = world_.clock.boot_ns() + kOpenAgainNs;
    // A damaged file would give the same error for ever.
    if (is_file_ && ++failures_ > 3) return Input::Polled::end;
    return Input::Polled::idle;
  }

  void trouble(const std::string& text) {
    troubled_ = true;
    log_.trouble(subject(), text);
  }
  void resolved() {
    if (std::exchange(troubled_, false)) log_.resolved(subject());
  }

  const JournalOptions& options_;
  const std::string path_;
  World world_;
  InputLog& log_;
  std::unique_ptr<sd_journal, JournalCloser> journal_;
  std::string source_;
  std::string cursor_;
  std::string json_, realtime_, monotonic_;
  char boot_[SD_ID128_STRING_MAX] = {};
  JournalFields fields_;
  event::Batch scratch_;  ///< holds the fields of one entry
  std::int64_t next_open_ns_ = 0;
  std::int64_t last_poll_ns_ = 0;
  std::uint64_t lost_ = 0;
  int failures_ = 0;
  bool check_cursor_ = false;
  bool is_file_ = false;
  bool ended_ = false;
  bool announce_ = false;
  bool troubled_ = false;
};

class JournalInput final : public Input {
 public:
  JournalInput(JournalOptions options, const InputSetup& setup)
      : options_(std::move(options)), clock_(setup.world.clock) {
    if (options_.paths.empty()) options_.paths.emplace_back();
    for (const auto& path : options_.paths)
      journals_.push_back(std::make_unique<Journal>(options_, path, setup.positions, setup.world, setup.log));
  }

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override {
    bool more = false, ended = true;
    const std::int64_t now_ns = clock_.boot_ns();
    // A long journal must not keep the others waiting: another one begins each time.
    for (std::size_t i = 0; i < journals_.size(); ++i) {
      Journal& journal = *journals_[(first_ + i) % journals_.size()];
      journal.polled_at(now_ns);
      const Polled polled = journal.poll(batch, budget);
      more = more || polled == Polled::more;
      ended = ended && polled == Polled::end;
    }
    first_ = (first_ + 1) % journals_.size();
    return more ? Polled::more : ended ? Polled::end : Polled::idle;
  }

  Result<Polled> finish(event::Batch& /*batch*/, std::size_t /*budget*/) override { return Polled::end; }
  void committed(const event::Batch& /*batch*/) override {}

  std::vector<int> descriptors() const override {
    std::vector<int> found;
    for (const auto& journal : journals_)
      if (const int fd = journal->descriptor(); fd >= 0) found.push_back(fd);
    return found;
  }
  std::int64_t next_poll_boot_ns() const override {
    std::int64_t next = clock_.boot_ns() + kLookAgainNs;
    for (const auto& journal : journals_) next = std::min(next, journal->next_poll_boot_ns());
    return next;
  }

 private:
  JournalOptions options_;
  Clock& clock_;
  std::vector<std::unique_ptr<Journal>> journals_;
  std::size_t first_ = 0;
};

JournalOptions read_options(const Node& config, Diagnostics& diagnostics) {
  JournalOptions options;
  parse_options<JournalOptions>(config, kJournalOptions, options, "a journald input", diagnostics, kCommonInputKeys);
  const auto place_of = [&](std::string_view key, std::size_t index) {
    const Node* node = config.find(key);
    if (node == nullptr) return config.place;
    return index < node->items.size() ? node->items[index].place : node->place;
  };
  for (std::size_t i = 0; i < options.paths.size(); ++i)
    if (options.paths[i].empty() || escape_path(options.paths[i]).size() > kFilePathBytes)
      diagnostics.error(place_of("paths", i), "paths: a path is empty or too long");
  for (std::size_t i = 0; i < options.include_matches.size(); ++i) {
    const auto& text = options.include_matches[i];
    const auto equals = text.find('=');
    const bool good = equals != std::string::npos && equals > 0 &&
                      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == equals;
    if (!good)
      diagnostics.error(place_of("include_matches", i),
                        fmt::format("include_matches: \"{}\" is not FIELD=value, such as _TRANSPORT=audit", text));
  }
  return options;
}

void check_journald(const Node& config, Diagnostics& diagnostics) { (void)read_options(config, diagnostics); }

// Both would keep their cursor under the journal's name.
void check_journals(std::span<const Node* const> configs, Diagnostics& diagnostics) {
  std::map<std::string, int> lines;
  Diagnostics said_before;
  for (const Node* config : configs) {
    auto paths = read_options(*config, said_before).paths;
    const bool live = paths.empty();
    if (live) paths.emplace_back();
    for (const auto& path : paths) {
      const auto [other, is_new] = lines.emplace(path, config->place.line);
      if (is_new || other->second == config->place.line) continue;
      diagnostics.error(config->place, fmt::format("the input on line {} reads {} already; name what both want in one",
                                                   other->second, live ? "the journal of this machine" : path));
    }
  }
}

Result<std::unique_ptr<Input>> open_journald(const InputSetup& setup) {
  Diagnostics diagnostics;
  auto options = read_options(setup.config, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  return std::unique_ptr<Input>(std::make_unique<JournalInput>(std::move(options), setup));
}

std::vector<OptionCard> journald_options() { return cards_of<JournalOptions>(kJournalOptions); }

}  // namespace

extern const InputPlugin plugin_journald;
const InputPlugin plugin_journald{
    .name = "journald",
    .help = "Reads the systemd journal, every field, and goes on by its cursor.",
    .options = journald_options,
    .check = check_journald,
    .open = open_journald,
    .check_together = check_journals,
};

}  // namespace enclave::pipeline
