#include <fmt/format.h>
#include <maxminddb.h>

#include <algorithm>
#include <array>
#include <optional>

#include "pipeline/filter.h"
#include "pipeline/ip_address.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// What is where in a database, and where it goes in an event.
struct Place {
  std::string_view name;    ///< in the option `fields`
  std::string_view legacy;  ///< below the target
  std::string_view ecs;     ///< the same with ECS; "" for what ECS has no field for
  std::array<const char*, 5> path;
};
enum Which : std::uint8_t {
  as_number,
  as_organization,
  city_name,
  country_name,
  continent_code,
  continent_name,
  country_code2,
  country_code3,
  domain,
  ip,
  isp,
  postal_code,
  dma_code,
  region_name,
  region_code,
  region_iso_code,
  timezone,
  location,
  latitude,
  longitude,
  organization,
  connection_type
};
// "-1" is the last of a list: the most specific subdivision.
constexpr Place kPlaces[] = {
    {"autonomous_system_number", "asn", "[as][number]", {"autonomous_system_number"}},
    {"autonomous_system_organization", "as_org", "[as][organization][name]", {"autonomous_system_organization"}},
    {"city_name", "city_name", "[geo][city_name]", {"city", "names", "en"}},
    {"country_name", "country_name", "[geo][country_name]", {"country", "names", "en"}},
    {"continent_code", "continent_code", "[geo][continent_code]", {"continent", "code"}},
    {"continent_name", "continent_name", "[geo][continent_name]", {"continent", "names", "en"}},
    {"country_code2", "country_code2", "[geo][country_iso_code]", {"country", "iso_code"}},
    {"country_code3", "country_code3", "", {"country", "iso_code"}},
    {"domain", "domain", "[domain]", {"domain"}},
    {"ip", "ip", "[ip]", {}},
    {"isp", "isp", "[mmdb][isp]", {"isp"}},
    {"postal_code", "postal_code", "[geo][postal_code]", {"postal", "code"}},
    {"dma_code", "dma_code", "[mmdb][dma_code]", {"location", "metro_code"}},
    {"region_name", "region_name", "[geo][region_name]", {"subdivisions", "-1", "names", "en"}},
    {"region_code", "region_code", "[geo][region_code]", {"subdivisions", "-1", "iso_code"}},
    {"region_iso_code", "region_iso_code", "[geo][region_iso_code]", {"subdivisions", "-1", "iso_code"}},
    {"timezone", "timezone", "[geo][timezone]", {"location", "time_zone"}},
    {"location", "location", "[geo][location]", {}},
    {"latitude", "latitude", "[geo][location][lat]", {"location", "latitude"}},
    {"longitude", "longitude", "[geo][location][lon]", {"location", "longitude"}},
    {"organization", "organization", "[mmdb][organization]", {"organization"}},
    {"connection_type", "connection_type", "[mmdb][connection_type]", {"connection_type"}},
};

/// A database file, which the library maps into memory.
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (open_) MMDB_close(&database_);
  }

  Result<void> open(const std::string& path) {
    const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database_);
    if (status != MMDB_SUCCESS)
      return Error{Fault::corrupt, "{} is no database of addresses: {}", path, MMDB_strerror(status)};
    open_ = true;
    return {};
  }

  std::string_view type() const { return database_.metadata.database_type; }

  /// Nothing when the address is not there, or the file is damaged.
  std::optional<MMDB_entry_s> find(const IpAddress& address) const {
    if (address.bits == 128 && database_.metadata.ip_version == 4) return std::nullopt;
    // An address of IPv4 is one of IPv6 that begins with 96 zeros.
    const unsigned zeros = address.bits == 32 && database_.metadata.ip_version == 6 ? 96 : 0;
    MMDB_search_node_s node{};
    std::uint32_t at = 0;
    for (unsigned bit = 0; bit < zeros + address.bits; ++bit) {
      if (MMDB_read_node(&database_, at, &node) != MMDB_SUCCESS) return std::nullopt;
      const unsigned own = bit - zeros;
      const bool right = bit >= zeros && (address.bytes[own / 8] >> (7 - own % 8) & 1) != 0;
      const auto type = right ? node.right_record_type : node.left_record_type;
      if (type == MMDB_RECORD_TYPE_DATA) return right ? node.right_record_entry : node.left_record_entry;
      if (type != MMDB_RECORD_TYPE_SEARCH_NODE) return std::nullopt;
      at = static_cast<std::uint32_t>(right ? node.right_record : node.left_record);
    }
    return std::nullopt;
  }

 private:
  MMDB_s database_{};
  bool open_ = false;
};

std::optional<Value> value_of(MMDB_entry_s& entry, const std::array<const char*, 5>& path, event::Arena& arena) {
  MMDB_entry_data_s data{};
  if (path[0] == nullptr || MMDB_aget_value(&entry, &data, path.data()) != MMDB_SUCCESS || !data.has_data)
    return std::nullopt;
  switch (data.type) {
    case MMDB_DATA_TYPE_UTF8_STRING:
      return Value::of(arena.store({data.utf8_string, data.data_size}));
    case MMDB_DATA_TYPE_DOUBLE:
      return Value::of(data.double_value);
    case MMDB_DATA_TYPE_FLOAT:
      return Value::of(static_cast<double>(data.float_value));
    case MMDB_DATA_TYPE_UINT16:
      return Value::of(std::int64_t{data.uint16});
    case MMDB_DATA_TYPE_UINT32:
      return Value::of(std::int64_t{data.uint32});
    case MMDB_DATA_TYPE_INT32:
      return Value::of(std::int64_t{data.int32});
    case MMDB_DATA_TYPE_UINT64:
      return Value::of(static_cast<std::int64_t>(data.uint64));
    case MMDB_DATA_TYPE_BOOLEAN:
      return Value::of(data.boolean);
    default:
      return std::nullopt;
  }
}

/// Tells where addresses are.
class GeoIp final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source, target;
    std::vector<std::pair<Which, logstash::FieldReference>> fields = {};  ///< what, and where below the target
    std::vector<std::string> tag_on_failure = {};
    bool needs_place = false;  ///< without coordinates nothing else of it is of use, as the original has it
  };
  GeoIp(Settings settings, std::unique_ptr<Database> database)
      : settings_(std::move(settings)), database_(std::move(database)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    const Value* value = event.find(settings_.source.segments());
    if (value != nullptr && value->is(Kind::list)) value = value->items().empty() ? nullptr : value->items().data();
    if (value == nullptr || !value->is(Kind::text)) return fail(event);
    const std::string_view text = value->text();
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return fail(event);
    const auto trimmed = text.substr(begin, text.find_last_not_of(' ') - begin + 1);
    const auto address = ip_address_of(trimmed);
    auto entry = address ? database_->find(*address) : std::nullopt;
    const Value* const known = event.find(settings_.target.segments());
    // As the original: the target is there, whatever was found.
    if ((known == nullptr || known->is(Kind::null)) &&
        !event.set(settings_.target.segments(), Value::map(event.arena())))
      return fail(event);
    if (!entry || !write(event, *entry, trimmed)) return fail(event);
    return true;
  }

 private:
  bool fail(event::Document& event) const {
    for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return false;
  }

  bool write(event::Document& event, MMDB_entry_s& entry, std::string_view address) const {
    event::Arena& arena = event.arena();
    const auto lat = value_of(entry, kPlaces[latitude].path, arena),
               lon = value_of(entry, kPlaces[longitude].path, arena);
    if (settings_.needs_place && !lat && !lon) return false;
    bool any = false;
    for (const auto& [which, field] : settings_.fields) {
      std::optional<Value> value;
      if (which == ip) {
        value = Value::of(arena.store(address));
      } else if (which == location) {
        if (lat && lon) {
          value = Value::map(arena, 2);
          value->append_member(arena, "lon", *lon);
          value->append_member(arena, "lat", *lat);
        }
      } else {
        value = value_of(entry, kPlaces[which].path, arena);
        if (value && which == region_iso_code) value = with_country(entry, *value, arena);
      }
      if (!value) continue;
      if (!event.set(field.segments(), *value)) return false;
      any = true;
    }
    return any;
  }

  /// ISO 3166-2: "CH-ZH".
  static std::optional<Value> with_country(MMDB_entry_s& entry, const Value& region, event::Arena& arena) {
    const auto country = value_of(entry, kPlaces[country_code2].path, arena);
    if (!country || !country->is(Kind::text) || !region.is(Kind::text)) return std::nullopt;
    return Value::of(arena.store(fmt::format("{}-{}", country->text(), region.text())));
  }

  Settings settings_;
  std::unique_ptr<Database> database_;
};

/// What is looked up without `fields`, by the type that the database says of itself.
std::vector<Which> fields_of(std::string_view type, bool ecs) {
  const auto is = [&](std::string_view kind) { return type.find(kind) != std::string_view::npos; };
  if (is("City") || is("Enterprise"))
    return {city_name, continent_code, country_name, country_code2, country_code3,
            ip,        postal_code,    dma_code,     region_name,   ecs ? region_iso_code : region_code,
            timezone,  location,       latitude,     longitude};
  if (is("Country")) return {ip, country_code2, country_name, continent_name};
  if (is("ISP")) return {ip, as_number, as_organization, isp, organization};
  if (is("ASN")) return {ip, as_number, as_organization};
  if (is("Domain")) return {domain};
  if (is("Connection-Type")) return {ip, connection_type};
  return {};
}

std::vector<Which> read_fields(logstash::PluginOptions& options, const Database& database, bool ecs) {
  if (!options.has("fields")) {
    auto fields = fields_of(database.type(), ecs);
    if (fields.empty())
      options.mistake("database", fmt::format("it is of the type \"{}\", for which no fields are known; name them: "
                                              "fields => [\"country_name\"]",
                                              database.type()));
    return fields;
  }
  std::vector<Which> fields;
  for (std::string name : options.texts("fields")) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto found =
        std::ranges::find_if(kPlaces, [&](const Place& place) { return place.name == name || (place.legacy == name); });
    if (found == std::end(kPlaces)) {
      std::vector<std::string_view> names;
      for (const Place& place : kPlaces) names.push_back(place.name);
      options.mistake("fields", fmt::format("there is no field \"{}\"; there are {}", name, fmt::join(names, ", ")));
    } else {
      fields.push_back(static_cast<Which>(found - std::begin(kPlaces)));
    }
  }
  return fields;
}

/// With ECS the target is what the address belongs to: [client][ip] is of [client].
logstash::FieldReference read_target(logstash::PluginOptions& options, const std::string& source, bool ecs) {
  if (options.has("target") || !ecs) return options.field("target", "geoip");
  const bool of_something = source.ends_with("[ip]") && source.size() > 4;
  if (!of_something)
    options.mistake("target",
                    "with ECS it is wanted where the source is no [ip] of something: target => \"client\"; or "
                    "ecs_compatibility => disabled");
  return options.as_field("source", of_something ? source.substr(0, source.size() - 4) : "geoip");
}

std::unique_ptr<Database> read_database(logstash::PluginOptions& options, Files& files) {
  const auto path = options.text_if_set("database");
  if (!path) {
    options.mistake("database",
                    "the path of a database is wanted, database => \"/usr/share/GeoIP/GeoLite2-City.mmdb\": none is "
                    "delivered. MaxMind gives GeoLite2 to whoever signs up at "
                    "https://www.maxmind.com/en/geolite2/signup, and geoipupdate fetches it");
    return nullptr;
  }
  (void)files.info(*path);  // the library opens it by itself; who watches files hears of it so
  auto database = std::make_unique<Database>();
  const auto opened = database->open(*path);
  if (opened) return database;
  options.mistake("database", opened.error().text());
  return nullptr;
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"}, kTypes[] = {"City", "ASN"};
  const bool ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  options.choice("default_database_type", kTypes, "City");
  options.number("cache_size", 1000, 1, 1'000'000'000);
  if (!options.has("source"))
    options.mistake("source", "the field with the address is wanted: source => \"[client][ip]\"");
  GeoIp::Settings settings{.source = options.field("source", "ip"),
                           .target = read_target(options, options.text("source", "ip"), ecs)};
  settings.tag_on_failure = options.texts("tag_on_failure", {"_geoip_lookup_failure"});
  auto database = read_database(options, world.files);
  if (!database) {
    options.texts("fields");
    return nullptr;
  }
  for (const Which which : read_fields(options, *database, ecs)) {
    const Place& place = kPlaces[which];
    const std::string below = ecs ? std::string(place.ecs) : fmt::format("[{}]", place.legacy);
    if (!below.empty()) settings.fields.emplace_back(which, options.as_field("fields", settings.target.text() + below));
  }
  settings.needs_place = database->type().find("City") != std::string_view::npos;
  if (options.failed()) return nullptr;
  return std::make_unique<GeoIp>(std::move(settings), std::move(database));
}

}  // namespace

extern const FilterPlugin filter_geoip;
const FilterPlugin filter_geoip = {"geoip", "Tells where an address is, by a database.", make};

}  // namespace enclave::pipeline
