#include "cloud/capabilities.h"

#include <simdjson.h>

#include "cloud/capability_probe.h"

namespace enclave::cloud {
namespace {

constexpr std::string_view kNames[] = {"works", "accepted, not enforced", "refused", "absent", "unknown"};
constexpr std::size_t kJsonBytesMax = 4 << 20;
constexpr std::size_t kEntriesMax = 1'000;

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json(out, name);
  out += ':';
  append_json(out, text);
}

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

std::string format_capabilities(const Capabilities& capabilities) {
  std::string out = "{";
  append_member(out, "endpoint", capabilities.endpoint);
  out += ',';
  append_member(out, "server", capabilities.server);
  out += fmt::format(",\"probed_wall_ns\":{},\"left\":[", capabilities.probed_wall_ns);
  for (const auto& name : capabilities.left) {
    if (out.back() != '[') out += ',';
    append_json(out, name);
  }
  out += "],\"all\":[";
  for (const auto& capability : capabilities.all) {
    out += out.back() == '[' ? "{" : ",{";
    append_member(out, "id", capability.id);
    out += ',';
    append_member(out, "title", capability.title);
    out += ',';
    append_member(out, "support", name_of(capability.support));
    out += ',';
    append_member(out, "evidence", capability.evidence);
    out += '}';
  }
  return out + "]}";
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
