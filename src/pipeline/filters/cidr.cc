#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/files.h"
#include "pipeline/filter.h"
#include "pipeline/ip_address.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

constexpr std::uint64_t kNetworkFileBytesMax = 16 << 20;

struct Network {
  IpAddress address;
  unsigned prefix = 0;

  bool holds(const IpAddress& other) const {
    if (other.bits != address.bits) return false;
    const unsigned whole = prefix / 8, rest = prefix % 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) return false;
    return rest == 0 || ((address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest)) == 0;
  }
};

/// "10.0.0.0/8", "::1".
std::optional<Network> network_of(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = ip_address_of(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network out{*address, address->bits};
  if (slash == text.size()) return out;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
  if (fault != std::errc() || end != digits.data() + digits.size() || out.prefix > address->bits) return std::nullopt;
  return out;
}

/// Succeeds for events with an address that lies in one of the networks.
class Cidr final : public Filter {
 public:
  struct Settings {
    std::vector<logstash::TextReference> addresses = {}, networks = {};
    std::vector<Network> known = {};  ///< of networks without a reference, and of the file
  };
  explicit Cidr(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    std::vector<Network> named;
    for (const auto& network : settings_.networks)
      if (const auto one = network_of(text_of(network, event, run))) named.push_back(*one);
    for (const auto& reference : settings_.addresses) {
      const auto address = ip_address_of(text_of(reference, event, run));
      if (!address) continue;
      const auto holds = [&address](const Network& network) { return network.holds(*address); };
      if (std::ranges::any_of(settings_.known, holds) || std::ranges::any_of(named, holds)) return true;
    }
    return false;
  }

 private:
  static const std::string& text_of(const logstash::TextReference& reference, const event::Document& event,
                                    FilterRun& run) {
    run.scratch.clear();
    reference.append(
        event.wall_ns(), run.now_ns,
        [&event](const logstash::TextReference::Part& part, std::string& out) {
          const Value* const value = event.find(part.field->segments());
          if (value == nullptr) return false;
          append_text(*value, out);
          return true;
        },
        run.scratch);
    return run.scratch;
  }

  Settings settings_;
};

void add_known(logstash::PluginOptions& options, std::string_view option, std::string_view text,
               std::vector<Network>& into) {
  if (const auto network = network_of(text))
    into.push_back(*network);
  else
    options.mistake(option, fmt::format("\"{}\" is no network; write 10.0.0.0/8", text));
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  Cidr::Settings settings;
  for (const auto& text : options.texts("address")) settings.addresses.push_back(options.as_reference("address", text));
  for (const auto& text : options.texts("network")) {
    auto reference = options.as_reference("network", text);
    if (reference.is_literal())
      add_known(options, "network", text, settings.known);
    else
      settings.networks.push_back(std::move(reference));
  }
  const std::string separator = options.text("separator", "\n");
  options.number("refresh_interval", 600, 0, 1'000'000'000);
  if (const auto path = options.text_if_set("network_path")) {
    const auto text = read_file(world.files, *path, kNetworkFileBytesMax);
    if (!text) options.mistake("network_path", text.error().text());
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    while (!rest.empty() && !separator.empty()) {
      std::string_view one = rest.substr(0, rest.find(separator));
      rest.remove_prefix(std::min(one.size() + separator.size(), rest.size()));
      while (!one.empty() && (one.back() == '\r' || one.back() == '\n' || one.back() == ' ')) one.remove_suffix(1);
      if (!one.empty()) add_known(options, "network_path", one, settings.known);
    }
  } else if (!options.has("network")) {
    options.mistake("network", "a network or a network_path is wanted");
  }
  if (options.failed()) return nullptr;
  return std::make_unique<Cidr>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_cidr;
const FilterPlugin filter_cidr = {"cidr", "Succeeds for addresses that lie in a network.", make};

}  // namespace enclave::pipeline
