#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include "archive/seen.h"
#include "archive/verify.h"
#include "base/files.h"
#include "base/time.h"
#include "io/system.h"
#include "report/verify_report.h"

/// enclave-verify: the verifier alone, for who trusts nothing else. Reads a directory; links no network code.
namespace {

using namespace enclave;  // NOLINT(google-build-using-namespace)
using archive::NoteVerifier;

constexpr int kFailed = 1, kUsage = 64;
constexpr std::uint64_t kSmallFileBytesMax = 1U << 20;

struct Arguments {
  std::string directory;
  std::vector<std::string> keys, identities, last_seen;
  std::string origin, seen;
  unsigned threads = 0;
  bool no_seen = false, json = false, explain = false, quiet = false;
};

/// A verifier key, or a file that holds some, one a line.
Result<std::vector<NoteVerifier>> read_keys(Files& files, const std::vector<std::string>& given) {
  std::vector<NoteVerifier> keys;
  for (const std::string& text : given) {
    const bool marked = text.starts_with('@');
    const std::string path = marked ? text.substr(1) : text;
    auto one = NoteVerifier::parse(text);
    if (one && !marked) {
      keys.push_back(std::move(*one));
      continue;
    }
    if (!marked && !files.info(path)) return std::move(one).error().within("--key");
    std::string bytes = TRY(read_file(files, path, kSmallFileBytesMax));
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (line.empty() || line.starts_with('#')) continue;
      auto key = NoteVerifier::parse(line);
      if (!key) return std::move(key).error().within(path);
      keys.push_back(std::move(*key));
    }
  }
  return keys;
}

Result<std::vector<crypto::AgeIdentity>> read_identities(Files& files, const std::vector<std::string>& paths) {
  std::vector<crypto::AgeIdentity> identities;
  for (const std::string& path : paths) {
    auto parsed = crypto::AgeIdentity::parse_file(crypto::Secret(TRY(read_file(files, path, kSmallFileBytesMax))));
    if (!parsed) return std::move(parsed).error().within(path);
    for (auto& identity : *parsed) identities.push_back(std::move(identity));
  }
  return identities;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void show_progress(const archive::VerifyProgress& progress) {
  const auto percent = progress.bytes == 0 ? 100 : progress.bytes_done * 100 / progress.bytes;
  std::cerr << "\r\x1b[K"
            << fmt::format("{} of {} objects, {} of {} ({} %)", progress.objects_done, progress.objects,
                           format_bytes(progress.bytes_done), format_bytes(progress.bytes), percent)
            << std::flush;
}

int fail(const Error& error) {
  std::cerr << "enclave-verify: " << error.text() << "\n";
  return error.fault() == Fault::invalid ? kUsage : kFailed;
}

void explain(const Arguments& arguments, const archive::VerifyReport& report, const std::vector<NoteVerifier>& keys) {
  for (const archive::LogReport& log : report.logs) {
    report::Explain one{arguments.directory, "", arguments.identities.empty() ? "" : arguments.identities.front()};
    for (const NoteVerifier& key : keys)
      if (key.name == log.origin) one.vkey = key.text();
    std::cout << report::explain_commands(log.origin, one);
  }
}

int verify(const Arguments& arguments) {
  Files& files = io::real_files();
  const auto keys = read_keys(files, arguments.keys);
  if (!keys) return fail(keys.error());
  const auto identities = read_identities(files, arguments.identities);
  if (!identities) return fail(identities.error());

  archive::VerifyOptions options;
  options.keys = *keys;
  options.identities = *identities;
  options.threads = arguments.threads > 0 ? arguments.threads : std::max(1U, std::thread::hardware_concurrency());
  options.now_wall_ns = io::real_clock().wall_ns();
  if (!arguments.origin.empty()) options.origin = arguments.origin;
  for (const std::string& path : arguments.last_seen) {
    auto checkpoint = read_file(files, path, kSmallFileBytesMax);
    if (!checkpoint) return fail(checkpoint.error());
    options.last_seen.push_back(std::move(*checkpoint));
  }
  const std::string seen = arguments.no_seen ? ""
                           : arguments.seen.empty()
                               ? archive::seen_directory(environment("XDG_STATE_HOME"), environment("HOME"))
                               : arguments.seen;
  if (!seen.empty()) {
    auto remembered = archive::load_seen(files, seen, *keys);
    if (!remembered) return fail(remembered.error());
    for (auto& checkpoint : *remembered) options.last_seen.push_back(std::move(checkpoint));
  }
  const bool progress = !arguments.quiet && !arguments.json && isatty(STDERR_FILENO) == 1;
  if (progress) options.progress = show_progress;

  const auto source = archive::directory_source(files, arguments.directory);
  const auto report = archive::verify(*source, options, io::real_clock());
  if (progress) std::cerr << "\r\x1b[K" << std::flush;
  if (!report) return fail(report.error());
  if (arguments.explain) {
    explain(arguments, *report, *keys);
  } else if (arguments.json) {
    std::cout << report::verify_json(*report);
  } else if (!arguments.quiet) {
    std::cout << report::verify_text(*report);
  }
  if (!seen.empty())
    if (const auto stored = archive::store_seen(files, seen, *keys, *report); !stored)
      std::cerr << "enclave-verify: the checkpoint was not remembered: " << stored.error().text() << "\n";
  if (!std::cout.flush()) {
    std::cerr << "enclave-verify: the output could not be written\n";
    return std::max(kFailed, report->exit_status());
  }
  return report->exit_status();
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "Proves from a copied log bucket that nobody changed, removed or added anything.\n"
      "Exit status: 0 good, 1 could not do it, 3 violated, 4 could not tell, 64 wrong usage.",
      "enclave-verify"};
  app.add_option("DIR", arguments.directory, "The copy: the directory that holds \"v1\"")->required();
  app.add_option("--key", arguments.keys, "Trust anchor: a verifier key, or a file with some (@FILE)");
  app.add_option("--identity", arguments.identities, "age identity file: the records are decrypted and checked too");
  app.add_option("--origin", arguments.origin, "Only this log");
  app.add_option("--last-seen", arguments.last_seen, "A checkpoint that the log must not go behind");
  auto* seen = app.add_option("--seen", arguments.seen,
                              "Where the newest checkpoints seen are kept [~/.local/state/enclave/seen]");
  app.add_flag("--no-seen", arguments.no_seen, "Neither read nor keep them")->excludes(seen);
  app.add_option("--threads", arguments.threads, "How many objects are read at once [one per core]")
      ->check(CLI::Range(1U, 1024U));
  app.add_flag("--json", arguments.json, "Print one JSON object");
  app.add_flag("--explain", arguments.explain, "Print a sh script that checks the same with public tools");
  app.add_flag("--quiet", arguments.quiet, "Print nothing; the exit status tells");
  app.set_version_flag("--version", "enclave-verify " ENCLAVE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return verify(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "enclave-verify: stopped: " << error.what() << "\n";
    return kFailed;
  }
}
