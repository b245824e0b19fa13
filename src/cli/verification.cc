#include "cli/verification.h"

#include <thread>

#include "archive/seen.h"
#include "base/files.h"
#include "base/time.h"
#include "report/verify_report.h"

namespace enclave::cli {
namespace {

using archive::NoteVerifier;

constexpr std::uint64_t kSmallFileBytesMax = 1U << 20;

Result<void> read_key_file(Files& files, const std::string& path, std::vector<NoteVerifier>& keys) {
  const std::string bytes = TRY(read_file(files, path, kSmallFileBytesMax));
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    auto key = NoteVerifier::parse(line);
    if (!key) return std::move(key).error().within(path);
    keys.push_back(std::move(*key));
  }
  return {};
}

Result<std::vector<NoteVerifier>> read_keys(Files& files, const std::vector<std::string>& given) {
  std::vector<NoteVerifier> keys;
  for (const std::string& text : given) {
    if (text.starts_with('@')) {
      TRY(read_key_file(files, text.substr(1), keys));
      continue;
    }
    auto one = NoteVerifier::parse(text);
    if (one) {
      keys.push_back(std::move(*one));
    } else if (files.info(text)) {
      TRY(read_key_file(files, text, keys));
    } else {
      return std::move(one).error().within("--key: neither a verifier key nor a file");
    }
  }
  return keys;
}

Result<std::vector<crypto::AgeIdentity>> read_identities(Files& files, const std::vector<std::string>& paths) {
  std::vector<crypto::AgeIdentity> identities;
  for (const std::string& path : paths) {
    const crypto::Secret text(TRY(read_file(files, path, kSmallFileBytesMax)));
    auto parsed = crypto::AgeIdentity::parse_file(text);
    if (!parsed) return std::move(parsed).error().within(path);
    for (auto& identity : *parsed) identities.push_back(std::move(identity));
  }
  return identities;
}

void show_progress(std::ostream& err, const archive::VerifyProgress& progress) {
  const auto percent = progress.bytes == 0 ? 100 : progress.bytes_done * 100 / progress.bytes;
  err << "\r\x1b[K"
      << fmt::format("{} of {} objects, {} of {} ({} %)", progress.objects_done, progress.objects,
                     format_bytes(progress.bytes_done), format_bytes(progress.bytes), percent)
      << std::flush;
}

std::string explanation(const Verification& wanted, const archive::VerifyReport& report,
                        const std::vector<NoteVerifier>& keys) {
  std::string out;
  for (const archive::LogReport& log : report.logs) {
    report::Explain one{wanted.directory, "", wanted.identities.empty() ? "" : wanted.identities.front()};
    for (const NoteVerifier& key : keys)
      if (key.name == log.origin) one.vkey = key.text();
    out += report::explain_commands(log.origin, one);
  }
  return out;
}

}  // namespace

Result<int> run_verification(archive::LogSource& source, const Verification& wanted, World world,
                             const std::string& program, std::ostream& out, std::ostream& err) {
  if (wanted.explain && wanted.directory.empty())
    return Error{Fault::invalid, "--explain works on a copy of the bucket: copy it, then name the directory"};
  archive::VerifyOptions options;
  options.keys = TRY(read_keys(world.files, wanted.keys));
  const auto identities = TRY(read_identities(world.files, wanted.identities));
  options.identities = identities;
  options.threads = wanted.threads > 0 ? wanted.threads : std::max(1U, std::thread::hardware_concurrency());
  options.now_wall_ns = world.clock.wall_ns();
  options.stale_after_ns = wanted.stale_after.count();
  options.pending_objects = wanted.pending_objects;
  if (!wanted.origin.empty()) options.origin = wanted.origin;
  for (const std::string& path : wanted.last_seen)
    options.last_seen.push_back(TRY(read_file(world.files, path, kSmallFileBytesMax)));
  if (!wanted.seen.empty())
    for (auto& checkpoint : TRY(archive::load_seen(world.files, wanted.seen, options.keys)))
      options.last_seen.push_back(std::move(checkpoint));
  if (wanted.progress) options.progress = [&](const auto& progress) { show_progress(err, progress); };

  const auto report = archive::verify(source, options, world.clock);
  if (wanted.progress) err << "\r\x1b[K" << std::flush;
  if (!report) return report.error();
  if (wanted.explain) {
    out << explanation(wanted, *report, options.keys);
  } else if (wanted.json) {
    out << report::verify_json(*report);
  } else if (!wanted.quiet) {
    out << report::verify_text(*report);
  }
  if (!wanted.seen.empty())
    if (const auto stored = archive::store_seen(world.files, wanted.seen, options.keys, *report); !stored)
      err << program << ": the checkpoint was not remembered: " << stored.error().text() << "\n";
  return report->exit_status();
}

}  // namespace enclave::cli
