#include "pipeline/flow/worker.h"

#include <gtest/gtest.h>

#include "io/system.h"

namespace enclave::pipeline {
namespace {

/// Says of each line where it stands; whether it tells so is the test's.
class Lines final : public Source {
 public:
  explicit Lines(bool alike) : alike_(alike) {}
  Result<std::unique_ptr<Input>> open(const SourceSetup& /*setup*/) override {
    return Error{Fault::unsupported, "only its events are looked at"};
  }
  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& /*codec*/,
            FilterRun& /*run*/, std::vector<event::Document>& into) const override {
    auto& event = into.emplace_back(arena);
    event.set(event::kMessageField, event::Value::of(from.raw));
    describe(batch, from, event);
    if (!from.fields.empty()) event.set("fields", event::Value::of(from.fields));
  }
  bool alike(const Codec& /*codec*/) const override { return alike_; }
  void describe(const event::Batch& batch, const event::Event& from, event::Document& into) const override {
    const event::Value file = event::Value::map(into.arena());
    file.set(into.arena(), "offset", event::Value::of(static_cast<std::int64_t>(from.offset)));
    file.set(into.arena(), "name", event::Value::of(std::string_view(batch.sources[from.source].source)));
    into.set("file", file);
  }

 private:
  const bool alike_;
};

class JsonPacker final : public Packer {
 public:
  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& /*run*/,
            Parcel& into) override {
    for (const auto& event : events) {
      into.bytes += std::to_string(event.reading) + " ";
      append_json(event.root(), into.bytes);
      into.bytes += "\n";
      ++into.events;
    }
  }
};

class Nowhere final : public Output {
 public:
  Result<void> open(const OutputSetup& /*setup*/) override { return {}; }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<JsonPacker>(); }
  Result<void> deliver(Parcel& /*parcel*/, std::uint64_t /*ticket*/) override { return {}; }
  Result<std::uint64_t> settle(bool /*wait*/) override { return 0; }
};

/// Drops each third event and writes into the others' maps.
class Changing final : public Chain {
 public:
  Sent run(std::size_t /*source*/, std::vector<event::Document>& events, FilterRun& /*run*/, Routed& routed) override {
    for (auto& event : events) {
      if (event.reading % 3 == 2) continue;
      if (event.reading % 2 == 0) event.find("file")->set(event.arena(), "even", event::Value::of(true));
      routed[0].push_back(event);
    }
    return {};
  }
  std::vector<logstash::FilterCount> counts() const override { return {}; }
};

std::string made_by(bool alike, const event::Batch& batch) {
  World world = io::real_world();
  FlowPlan plan;
  plan.sources.push_back({"lines", std::make_unique<Lines>(alike), {}, {}});
  plan.outputs.push_back({"nowhere", std::make_unique<Nowhere>()});
  plan.chain = [] { return std::make_unique<Changing>(); };
  FlowWorker worker(plan, world);
  std::vector<Parcel> parcels;
  const auto made = worker.work(0, batch, parcels);
  EXPECT_EQ(made.events, batch.events.size());
  EXPECT_GT(parcels[0].events, batch.events.size() / 2);
  return parcels[0].bytes;
}

TEST(FlowWorker, EventsThatAreStampedAreThoseThatAreMadeOneByOne) {
  event::Batch batch;
  batch.wall_ns = 1'764'000'000'123'456'789;
  const auto a = batch.source("file:/a@1", "0"), b = batch.source("file:/b@2", "0");
  for (std::uint32_t i = 0; i < 1000; ++i) {
    auto& event = batch.events.emplace_back();
    event.raw = batch.store("line \"" + std::to_string(i) + "\"");
    event.offset = i * std::uint64_t{100};
    // Long runs, short ones, and readings with more to say in between.
    event.source = i < 500 || i % 7 < 5 ? a : b;
    if (i % 50 == 49) event.fields = "\"x\":1";
  }
  const std::string one_by_one = made_by(false, batch);
  EXPECT_NE(one_by_one.find(R"("fields")"), std::string::npos);
  EXPECT_EQ(made_by(true, batch), one_by_one);
}

}  // namespace
}  // namespace enclave::pipeline
