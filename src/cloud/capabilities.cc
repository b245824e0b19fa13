#include "cloud/capabilities.h"

#include <simdjson.h>

#include "cloud/capability_probe.h"
#include "event/json.h"
#include "event/record.h"

namespace enclave::cloud {
namespace {

using event::json_array;
using event::json_text;

constexpr std::string_view kNames[] = {"works", "accepted, not enforced", "refused", "absent", "unknown"};
constexpr std::size_t kJsonBytesMax = 4 << 20;
constexpr std::size_t kEntriesMax = 1'000;

std::string member(std::string_view name, std::string_view text) { return json_text(name) + ":" + json_text(text); }

Result<Support> support_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<Support>(i);
  return Error{Fault::corrupt, "\"{}\" says of no capability how it stands", name.substr(0, 64)};
}

Result<std::string> text_of(const simdjson::dom::element& object, const char* name) {
  std::string_view text;
  if (object[name].get_string().get(text) != simdjson::SUCCESS)
    return Error{Fault::corrupt, "a list of capabilities without \"{}\"", name};
  return std::string(text);
}

Result<Capability> capability_of(const simdjson::dom::element& object) {
  Capability capability;
  capability.id = TRY(text_of(object, "id"));
  capability.title = TRY(text_of(object, "title"));
  capability.support = TRY(support_named(TRY(text_of(object, "support"))));
  capability.evidence = TRY(text_of(object, "evidence"));
  return capability;
}

}  // namespace

// Ceph sends no Server header, and Swift neither; both are known by headers of their own.
std::string server_of(const S3Answer& answer) {
  const std::string_view server = answer.response.header("server");
  if (!server.empty()) return std::string(server.substr(0, 200));
  for (const auto& [name, value] : answer.response.headers)
    if (name == "x-openstack-request-id" || name == "x-trans-id") return "Swift";
  return answer.response.header("x-amz-request-id").starts_with("tx") ? "Ceph RGW" : "";
}

std::string_view name_of(Support support) { return kNames[static_cast<std::size_t>(support)]; }

Support Capabilities::of(std::string_view id) const {
  for (const auto& capability : all)
    if (capability.id == id) return capability.support;
  return Support::unknown;
}

Result<Capabilities> probe_capabilities(World world, const ProbeReach& reach,
                                        const std::function<void(std::string_view title)>& progress) {
  Capabilities found;
  found.probed_wall_ns = world.clock.wall_ns();
  probing::Prober prober(world, reach, progress, found);
  auto* canary = TRY(prober.make_canary({}));
  found.endpoint = canary->owner->client().options().endpoint;
  probing::Trace trace;
  found.server =
      server_of(trace.ask(*canary->owner, {.method = "GET", .response_bytes_max = 16 << 20, .account = true}));
  probing::probe_versions(prober, *canary);
  probing::probe_lock(prober);
  probing::probe_access(prober, *canary);
  probing::probe_policy(prober, *canary);
  probing::probe_settings(prober, *canary);
  probing::probe_encryption(prober, *canary);
  probing::probe_deletes(prober);
  prober.clean_up();
  return found;
}

// A server may have answered anything; what is kept of it must be JSON, or it is asked again each time.
std::string format_capabilities(const Capabilities& capabilities) {
  const auto one = [](const Capability& capability) {
    return fmt::format("{{{},{},{},{}}}", member("id", capability.id), member("title", capability.title),
                       member("support", name_of(capability.support)), member("evidence", capability.evidence));
  };
  return fmt::format("{{{},{},\"probed_wall_ns\":{},\"left\":{},\"all\":{}}}",
                     member("endpoint", capabilities.endpoint), member("server", capabilities.server),
                     capabilities.probed_wall_ns, json_array(capabilities.left, json_text),
                     json_array(capabilities.all, one));
}

Result<Capabilities> parse_capabilities(std::string_view json) {
  if (json.size() > kJsonBytesMax) return Error{Fault::limit, "capabilities of {} bytes", json.size()};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array entries;
  simdjson::dom::array left;
  Capabilities capabilities;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || !root.is_object() ||
      root["all"].get_array().get(entries) != simdjson::SUCCESS ||
      root["left"].get_array().get(left) != simdjson::SUCCESS ||
      root["probed_wall_ns"].get_int64().get(capabilities.probed_wall_ns) != simdjson::SUCCESS)
    return Error{Fault::corrupt, "this is no list of capabilities"};
  capabilities.endpoint = TRY(text_of(root, "endpoint"));
  capabilities.server = TRY(text_of(root, "server"));
  if (entries.size() > kEntriesMax || left.size() > kEntriesMax)
    return Error{Fault::limit, "{} capabilities", entries.size()};
  for (const auto entry : entries) {
    if (!entry.is_object()) return Error{Fault::corrupt, "this is no list of capabilities"};
    capabilities.all.push_back(TRY(capability_of(entry)));
  }
  for (const auto name : left) {
    std::string_view text;
    if (name.get_string().get(text) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "this is no list of capabilities"};
    capabilities.left.emplace_back(text);
  }
  return capabilities;
}

}  // namespace enclave::cloud
