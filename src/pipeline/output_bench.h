#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/system.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/output.h"

/// What the tests of codecs, outputs and their options share: plugins made from a configuration's text.
namespace enclave::pipeline {

inline const logstash::Timezone* no_zone(std::string_view /*name*/) { return nullptr; }

/// A section's only plugin, and what was said about it.
struct Written {
  explicit Written(const std::string& plugin, std::string_view section = "output") {
    parse_config(std::string(section) + " {\n" + plugin + "\n}\n", "x.conf", {}, configuration, diagnostics);
    auto& all = section == "output"  ? configuration.outputs
                : section == "input" ? configuration.inputs
                                     : configuration.filters;
    if (!all.empty()) found = std::get_if<logstash::Plugin>(&all[0]);
    EXPECT_NE(found, nullptr) << diagnostics.text();
  }
  logstash::Configuration configuration;
  Diagnostics diagnostics;
  const logstash::Plugin* found = nullptr;
};

class LoggedTroubles final : public InputLog {
 public:
  void trouble(std::string_view subject, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    troubles_.push_back(std::string(subject) + ": " + std::string(text));
  }
  void resolved(std::string_view subject) override {
    const std::lock_guard lock(mutex_);
    resolved_.emplace_back(subject);
  }
  void count(std::string_view name, std::int64_t by) override {
    const std::lock_guard lock(mutex_);
    counts_[std::string(name)] += by;
  }
  std::vector<std::string> troubles() {
    const std::lock_guard lock(mutex_);
    return troubles_;
  }
  std::int64_t counted(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return counts_[name];
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> troubles_, resolved_;
  std::map<std::string, std::int64_t> counts_;
};

class KeptLetters final : public DeadLetters {
 public:
  Result<void> add(std::string_view plugin, const Refused& refused) override {
    letters.push_back(std::string(plugin) + "|" + std::string(refused.reason) + "|" + std::string(refused.event));
    sent_to.emplace_back(refused.to);
    return {};
  }
  std::vector<std::string> letters, sent_to;
};

/// One output, as a flow drives it.
class OutputBench {
 public:
  OutputBench() {
    std::string name = std::filesystem::temp_directory_path() / "enclave-output-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  ~OutputBench() {
    output.reset();
    std::filesystem::remove_all(folder);
  }
  OutputBench(const OutputBench&) = delete;
  OutputBench& operator=(const OutputBench&) = delete;

  /// FOLDER in the text is this bench's own. False, with `said`, when it was refused.
  bool make(std::string plugin) {
    for (std::size_t at = 0; (at = plugin.find("FOLDER", at)) != std::string::npos;) plugin.replace(at, 6, folder);
    written = std::make_unique<Written>(plugin);
    output.reset();
    said = written->diagnostics.text();
    if (written->found == nullptr) return false;
    for (const OutputPlugin* card : output_plugins()) {
      if (card->name != written->found->name) continue;
      logstash::PluginOptions options(written->configuration, *written->found, written->diagnostics);
      output = card->make(options, filter_world);
      options.finish();
      if (options.failed()) output.reset();
    }
    said = written->diagnostics.text();
    return output != nullptr;
  }
  Result<void> open() {
    const OutputSetup setup{world, log, stopping, letters, "out", folder + "/state"};
    return output->open(setup);
  }
  bool start(const std::string& plugin) {
    const bool made = make(plugin);
    EXPECT_TRUE(made) << said;
    if (!made) return false;
    const auto opened = open();
    EXPECT_TRUE(opened) << opened.error().text();
    packer = output->packer();
    return opened.has_value();
  }

  /// Events as JSON, delivered as one batch.
  Result<void> send(const std::vector<std::string>& events) {
    pack(events);
    return output->deliver(parcel, ++ticket);
  }
  void pack(const std::vector<std::string>& events) {
    parcel.clear();
    arena.clear();
    documents.clear();
    for (const auto& json : events) documents.push_back(document(json));
    packer->pack(batch, documents, run, parcel);
    packer->end(parcel);
  }
  event::Document document(const std::string& json) {
    const auto root = run.json.read(arena.store(json), arena);
    EXPECT_TRUE(root) << json;
    event::Document made(arena, root.value_or(event::Value::map(arena)));
    event::Value* const time = made.find(event::kTimeField);
    if (time != nullptr && time->is(event::Kind::text))
      *time = event::Value::time(parse_time(time->text()).value_or(0));
    return made;
  }
  std::uint64_t settled(bool wait = true) {
    const auto upto = output->settle(wait);
    EXPECT_TRUE(upto) << upto.error().text();
    return upto.value_or(0);
  }
  std::string read(const std::string& path) const {
    std::ifstream in(path.starts_with("/") ? path : folder + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder;
  World world{io::real_clock(), io::real_files(), io::real_random()};
  logstash::ZoneLookup zones = no_zone;
  FilterWorld filter_world{world.files, zones};
  LoggedTroubles log;
  KeptLetters letters;
  std::atomic<bool> stopping{false};
  std::unique_ptr<Written> written;
  std::string said;
  event::Arena arena;
  event::Batch batch;
  FilterRun run{.now_ns = 1'795'462'496'123'456'789};  // 2026-11-23T19:34:56.123456789Z
  std::vector<event::Document> documents;
  Parcel parcel;
  std::uint64_t ticket = 0;
  std::unique_ptr<Output> output;
  std::unique_ptr<Packer> packer;
};

}  // namespace enclave::pipeline
