#include "pipeline/flow/flow_file.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

FlowStatus some_flow() {
  FlowStatus flow;
  flow.id = "main \"one\"";
  flow.events_in = 10, flow.bytes_in = 2000, flow.events_dropped = 3, flow.batches_waiting = 1, flow.workers = 2;
  flow.dead_letters = 4, flow.dead_letters_lost = 5, flow.dead_letter_bytes = 600;
  flow.sources.push_back({"file at a.conf:1", 9, 1999, 10, 77, {{"lines_cut", 2}}});
  flow.outputs.push_back({"stdout", 7, 700, 88, {}, 3, 1, 2, 1});
  flow.started_wall_ns = 1'600'000'000'000'000'000;
  flow.events_made = 1, flow.events_unrouted = 2, flow.events_out = 6, flow.letters_returned = 1;
  flow.filters.push_back({"grok at a.conf:3", 10, 8, 3, 1, 99, "cancelled"});
  flow.counters = {{"connections_open", -1}, {"lines_cut", 2}};
  flow.troubles = {"the other side is away:\n connection refused"};
  return flow;
}

TEST(FlowFile, ReadsWhatItWrote) {
  const std::vector<FlowStatus> flows{some_flow(), FlowStatus{}};
  const std::string json = format_flows(flows, 1'700'000'000'000'000'000);
  const auto file = parse_flows(json);
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->wall_ns, 1'700'000'000'000'000'000);
  ASSERT_EQ(file->flows.size(), 2U);
  EXPECT_EQ(file->flows[0].sources[0].counters.at("lines_cut"), 2);
  EXPECT_EQ(file->flows[0].filters[0].busy_ns, 99);
  EXPECT_EQ(format_flows(file->flows, file->wall_ns), json);
}

TEST(FlowFile, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_flows({}));
  EXPECT_FALSE(parse_flows(""));
  EXPECT_FALSE(parse_flows("[]"));
  EXPECT_FALSE(parse_flows("{\"flows\":[]}"));
  EXPECT_TRUE(parse_flows(R"({"as_of":"2026-01-01T00:00:00Z","flows":[1,{"sources":[{}],"troubles":[1]}]})"));
}

}  // namespace
}  // namespace enclave::pipeline
