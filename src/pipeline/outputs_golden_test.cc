// tests/golden/outputs and tests/golden/codecs: what their README.md files describe.
#include <fmt/format.h>

#include <filesystem>
#include <sstream>

#include "event/record.h"
#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kGolden = ENCLAVE_SOURCE_DIR "/tests/golden";

struct Case {
  struct Section {
    std::string head, text;
  };
  std::string name;
  std::vector<Section> sections;
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), {{"options", ""}}});
    } else if (line.starts_with("--- ") && !cases.empty()) {
      cases.back().sections.push_back({line.substr(4), ""});
    } else if (!cases.empty()) {
      cases.back().sections.back().text += line + "\n";
    }
  }
  return cases;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

std::string joined(const std::vector<std::string>& lines) { return fmt::format("{}\n", fmt::join(lines, "\n")); }

/// An output, or a codec in an output's place, and one case's sections.
class Bench {
 public:
  explicit Bench(bool codecs) : codecs_(codecs) {}

  std::string run(const Case& one) {
    std::string problem;
    bool compared = false;
    for (const auto& [head, text] : one.sections) {
      if (head.starts_with("ecs ")) bench_.filter_world.ecs_compatibility = head.substr(4);
    }
    for (const auto& [head, text] : one.sections) {
      if (head == "options") make(text);
      if (head == "event" || head == "payload") given_ = text;
      if (head == "mistake" || head == "warning") {
        compared = true;
        const std::string part = text.substr(0, text.find_last_not_of('\n') + 1);
        if (said_.find(part) == std::string::npos) problem += "said:\n" + said_;
        if (made_ != (head == "warning")) problem += made_ ? "it was made\n" : "it was not made\n";
      }
      if (head != "pieces" && head != "bytes" && head != "events") continue;
      compared = true;
      if (!made_) return "nothing was made:\n" + said_;
      const std::string got = joined(head == "pieces" ? pieces() : head == "bytes" ? bytes() : events());
      if (got != joined(lines_of(text))) problem += "got\n" + got + "expected\n" + text;
    }
    return compared ? problem : "nothing is compared";
  }

 private:
  void make(const std::string& text) {
    if (!codecs_) {
      made_ = bench_.make(text);
      said_ = bench_.said;
      return;
    }
    std::string codec = text;
    for (std::size_t at = 0; (at = codec.find("FILTERS", at)) != std::string::npos;)
      codec.replace(at, 7, std::string(kGolden) + "/filters/files");
    written_ = std::make_unique<Written>("x { codec => " + codec + " }");
    if (written_->found != nullptr) {
      logstash::PluginOptions options(written_->configuration, *written_->found, written_->diagnostics);
      const CodecChoice choice(options, "plain", bench_.filter_world);
      made_ = static_cast<bool>(choice);
      if (made_) codec_ = choice.make();
    }
    said_ = written_->diagnostics.text();
  }

  /// What the output's packer makes of the events: where each piece goes, and its bytes as a JSON text.
  std::vector<std::string> pieces() {
    bench_.packer = bench_.output->packer();
    bench_.pack(lines_of(given_));
    std::vector<std::string> out;
    for (const auto& piece : bench_.parcel.pieces) {
      const auto& targets = bench_.parcel.targets;
      const std::string_view all = bench_.parcel.bytes;
      std::string target = piece.target < targets.size() ? targets[piece.target] : "-";
      for (std::size_t at = 0; (at = target.find('\n')) != std::string::npos;) target.replace(at, 1, "; ");
      out.push_back(fmt::format("{} {}", target, event::json_text(all.substr(piece.begin, piece.end - piece.begin))));
    }
    return out;
  }

  std::vector<std::string> bytes() {
    std::string out;
    for (const auto& line : lines_of(given_)) codec_->encode(bench_.document(line), bench_.run, out);
    return lines_of(event::json_text(out));
  }

  /// The payload is a JSON text, one for each payload.
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& line : lines_of(given_)) {
      const auto payload = bench_.run.json.read(bench_.arena.store(line), bench_.arena);
      if (!payload) return {payload.error().text()};
      std::vector<event::Document> events;
      codec_->decode(payload->text(), bench_.arena, bench_.run, events);
      for (const auto& event : events) append_json(event.root(), out.emplace_back());
    }
    return out;
  }

  const bool codecs_;
  OutputBench bench_;
  std::unique_ptr<Written> written_;
  std::unique_ptr<Codec> codec_;
  std::string said_, given_;
  bool made_ = false;
};

std::size_t run_folder(std::string_view name) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(kGolden) / name)) {
    if (entry.path().extension() != ".case") continue;
    for (const Case& one : read_cases(entry.path())) {
      ++cases;
      Bench bench(name == "codecs");
      EXPECT_EQ(bench.run(one), "") << "in " << entry.path().filename() << ": " << one.name;
    }
  }
  return cases;
}

TEST(OutputsGolden, EveryCaseComesToThePiecesThatItsFileSays) { EXPECT_GE(run_folder("outputs"), 80U); }

TEST(CodecsGolden, EveryCaseComesToTheBytesOrEventsThatItsFileSays) { EXPECT_GE(run_folder("codecs"), 35U); }

}  // namespace
}  // namespace enclave::pipeline
