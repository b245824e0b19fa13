#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/system.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/filebeat/plain_lines.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/input_bench.h"
#include "pipeline/line_joiner.h"
#include "pipeline/peer_sources.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::int64_t kNow = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z

/// A file of tests/golden/filebeat/events: a filebeat.yml, what is given to it, and the events that come of it.
struct Case {
  std::string kind, config, given, expected;
};

Case read_case(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto between = [&](std::string_view begin, std::string_view end) {
    const std::size_t from = text.find(begin) + begin.size();
    const std::size_t to = end.empty() ? text.size() : text.find(end, from);
    return text.substr(from, to == std::string::npos ? to : to - from);
  };
  return {between("# kind: ", "\n"), between("--- config\n", "--- given\n"), between("--- given\n", "--- expected\n"),
          between("--- expected\n", "")};
}

const logstash::Timezone* zone(std::string_view name) {
  static const logstash::Timezone kPlusTwo = logstash::Timezone::fixed(7200);
  return name == "Test/PlusTwo" ? &kPlusTwo : nullptr;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line;
    // \xHH in a case stands for a byte.
    for (std::string_view raw = text.substr(0, end); !raw.empty(); raw.remove_prefix(1)) {
      if (raw.starts_with("\\x") && raw.size() >= 4) {
        line += static_cast<char>(std::stoi(std::string(raw.substr(2, 2)), nullptr, 16));
        raw.remove_prefix(3);
      } else {
        line += raw[0];
      }
    }
    out.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

const Identity kIdentity{"host-1", "", "id-1", "run-1"};

class NoCodec final : public Codec {
 public:
  void decode(std::string_view, event::Arena&, FilterRun&, std::vector<event::Document>&) override {}
  void encode(const event::Document&, FilterRun&, std::string&) override {}
};

/// Lines of /var/log/app.log through the first input, all processors, and out.
std::string evaluate_events(const Case& one) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat(one.config, "f.yml", {one.kind.back() - '0', {}}, diagnostics);
  const logstash::ZoneLookup zones = zone;
  const FlowWorld world{io::real_files(), zones, kIdentity};
  const auto plan = diagnostics.has_errors() ? nullptr : make_flow(config, world, diagnostics);
  std::string out = diagnostics.text();
  if (plan == nullptr) return out;
  testing::TestClock clock;
  testing::TestLog log;
  event::Batch batch;
  batch.wall_ns = kNow;
  const std::uint32_t source = batch.source("file:/var/log/app.log@00000001", "0");
  std::uint64_t offset = 0;
  for (const auto& line : lines_of(one.given)) {
    event::Event made;
    made.raw = batch.store(line);
    made.offset = offset;
    made.source = source;
    if (config.inputs[0].is_network()) made.fields = batch.store(peer_fields({"192.0.2.7", 40312, "", 0}));
    batch.events.push_back(made);
    offset += line.size() + 1;
  }
  const FlowSource& from = plan->sources.at(0);
  if (from.multiline) {
    if (is_opened_first(config.inputs[0])) LineOpener(config.inputs[0]).open(batch, 0);
    LineJoiner joiner(*from.multiline, {clock, io::real_files(), io::real_random()}, log);
    joiner.apply(batch);
    joiner.flush(batch, true);
  }
  event::Arena arena;
  FilterRun run{.now_ns = kNow};
  NoCodec codec;
  std::vector<event::Document> events;
  const auto dressing = from.dressing();
  for (const auto& each : batch.events) from.source->make(batch, each, arena, codec, run, events);
  for (auto& event : events) dressing->dress(event, run);
  Routed routed(1);
  plan->chain()->run(0, events, run, routed);
  for (const auto& event : routed[0]) append_json(event.root(), out), out += '\n';
  return out;
}

/// Events given as JSON through the processors.
std::string evaluate_process(const Case& one) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat(one.config, "f.yml", {8, {}}, diagnostics);
  const logstash::ZoneLookup zones = zone;
  const ProcessorWorld world{io::real_files(), zones, kIdentity};
  const Steps steps = make_steps(config.processors, world, diagnostics);
  std::string out = diagnostics.text();
  if (diagnostics.has_errors()) return out;
  event::Arena arena;
  FilterRun run{.now_ns = kNow};
  for (const auto& line : lines_of(one.given)) {
    const auto root = run.json.read(line, arena);
    if (!root) return out + root.error().text();
    event::Document event(arena, *root);
    run_steps(steps, event, run);
    if (event.cancelled) {
      out += "dropped";
    } else {
      append_json(event.root(), out);
    }
    out += '\n';
  }
  return out;
}

/// Events given as JSON, as the output packs them.
std::string evaluate_output(const Case& one) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat(one.config, "f.yml", {one.kind.back() - '0', {}}, diagnostics);
  const logstash::ZoneLookup zones = zone;
  const FilterWorld world{io::real_files(), zones};
  const auto output = diagnostics.has_errors() ? nullptr : make_output(config, world, diagnostics);
  std::string out = diagnostics.text();
  if (output == nullptr) return out;
  event::Arena arena;
  FilterRun run{.now_ns = kNow};
  std::vector<event::Document> events;
  for (const auto& line : lines_of(one.given)) {
    const auto root = run.json.read(arena.store(line), arena);
    if (!root) return out + root.error().text();
    events.emplace_back(arena, *root).set_wall_ns(kNow);
  }
  const auto packer = output->packer();
  Parcel parcel;
  packer->pack(event::Batch(), events, run, parcel);
  packer->end(parcel);
  for (const auto& piece : parcel.pieces) {
    if (piece.target > 0) out += parcel.targets[piece.target] + ": ";
    out += parcel.bytes.substr(piece.begin, piece.end - piece.begin);
    if (!out.ends_with('\n')) out += '\n';
  }
  return out;
}

TEST(FilebeatEventsGolden, EveryCaseComesToWhatItsFileSays) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/filebeat/events")) {
    if (entry.path().extension() != ".case") continue;
    ++cases;
    const Case one = read_case(entry.path());
    const std::string found = one.kind == "process"            ? evaluate_process(one)
                              : one.kind.starts_with("output") ? evaluate_output(one)
                                                               : evaluate_events(one);
    EXPECT_EQ(found, one.expected) << "in " << entry.path();
  }
  EXPECT_GE(cases, 60U);
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
