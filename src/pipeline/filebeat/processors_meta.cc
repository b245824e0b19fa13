#include <algorithm>

#include "base/files.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/go_layout.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/filebeat/zone.h"

/// timestamp, add_locale, add_host_metadata, add_cloud_metadata.
namespace enclave::pipeline::filebeat {
namespace {

using event::Document;
using event::Kind;
using logstash::Timezone;

constexpr std::size_t kSmallFile = 1 << 20;

class Timestamp final : public Step {
 public:
  Timestamp(const StepOptions& options, std::unique_ptr<Zone> zone, std::vector<GoLayout> layouts)
      : field_(options.text("field")),
        target_(options.text("target_field")),
        zone_(std::move(zone)),
        layouts_(std::move(layouts)),
        ignore_missing_(options.flag("ignore_missing")),
        ignore_failure_(options.flag("ignore_failure")) {}

  void run(Document& event, FilterRun& run) override {
    const event::Value* const found = find_key(event.root(), field_);
    if (found == nullptr) {
      if (!ignore_missing_ && !ignore_failure_)
        set_error(event, fmt::format("failed to get time field {}: key not found", field_));
      return;
    }
    if (found->is(Kind::time)) return put(event, found->wall_ns());
    std::string text;
    append_text(*found, text);
    for (const auto& layout : layouts_)
      if (const auto time = layout.parse(text, *zone_->get(), run.now_ns)) return put(event, *time);
    if (!ignore_failure_)
      set_error(event, fmt::format("failed parsing time field {}='{}'", field_, text.substr(0, 100)));
  }

 private:
  void put(Document& event, std::int64_t wall_ns) const {
    put_key(event.arena(), event.root(), target_, event::Value::time(wall_ns));
  }
  const std::string field_, target_;
  const std::unique_ptr<Zone> zone_;
  const std::vector<GoLayout> layouts_;
  const bool ignore_missing_, ignore_failure_;
};

Made make_timestamp(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics) {
  const StepOptions options{processor.options};
  auto zone = std::make_unique<Zone>(options.text("timezone"), world.files, world.zones);
  if (zone->get() == nullptr) {
    diagnostics.error(processor.place, fmt::format("timestamp: timezone: {} is no zone that this machine knows",
                                                   options.text("timezone")));
    return nullptr;
  }
  std::vector<GoLayout> layouts;
  for (const auto& text : options.texts("layouts")) {
    auto layout = GoLayout::compile(text);
    if (layout) {
      layouts.push_back(std::move(*layout));
    } else {
      diagnostics.error(processor.place, fmt::format("timestamp: layouts: {}", layout.error().text()));
    }
  }
  for (const auto& text : options.texts("test"))
    if (std::ranges::none_of(layouts, [&](const auto& one) { return one.parse(text, *zone->get(), 0).has_value(); }))
      diagnostics.error(processor.place, fmt::format("timestamp: test: no layout fits \"{}\"", text));
  return std::make_unique<Timestamp>(options, std::move(zone), std::move(layouts));
}

class AddLocale final : public Step {
 public:
  AddLocale(bool abbreviation, const ProcessorWorld& world)
      : zone_("Local", world.files, world.zones), abbreviation_(abbreviation) {}
  void run(Document& event, FilterRun& run) override {
    const auto local = zone_.get()->at(run.now_ns / 1'000'000'000);
    const std::int32_t minutes = std::abs(local.offset_seconds) / 60;
    const std::string text =
        abbreviation_ ? std::string(local.abbreviation)
                      : fmt::format("{}{:02}:{:02}", local.offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
    put_key(event.arena(), event.root(), "event.timezone", event::Value::of(event.arena().store(text)));
  }

 private:
  Zone zone_;
  const bool abbreviation_;
};

/// Adds what was found out once, at the start.
class AddFacts final : public Step {
 public:
  explicit AddFacts(bool overwrite) : overwrite_(overwrite) {}
  void fact(std::string_view key, std::string_view value) {
    if (!value.empty()) put_key(arena_, facts_, key, event::Value::of(arena_.store(value)));
  }
  void list(std::string_view key, const Strings& values) {
    const event::Value out = event::Value::list(arena_);
    for (const auto& one : values) out.append(arena_, event::Value::of(arena_.store(one)));
    if (!values.empty()) put_key(arena_, facts_, key, out);
  }
  void facts(const Value& map, std::string_view key) {
    if (map.map() != nullptr) put_key(arena_, facts_, key, event_value(map, arena_));
  }
  event::Arena& arena() { return arena_; }
  void run(Document& event, FilterRun& /*run*/) override {
    merge_maps(event.arena(), event.root(), copy_value(facts_, event.arena()), overwrite_);
  }

 private:
  event::Arena arena_;
  event::Value facts_ = event::Value::map(arena_);
  const bool overwrite_;
};

std::string line_in(Files& files, const std::string& path) {
  auto text = read_file(files, path, kSmallFile).value_or("");
  return text.substr(0, text.find('\n'));
}

/// NAME="value" lines of os-release(5).
std::string release(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(name) || line.substr(name.size(), 1) != "=") continue;
    line.remove_prefix(name.size() + 1);
    if (line.size() > 1 && (line[0] == '"' || line[0] == '\'')) line = line.substr(1, line.size() - 2);
    return std::string(line);
  }
  return "";
}

std::string family_of(const std::string& id) {
  for (const std::string_view debian : {"debian", "ubuntu", "linuxmint"})
    if (id == debian) return "debian";
  for (const std::string_view redhat : {"redhat", "rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"})
    if (id == redhat) return "redhat";
  return id.find("suse") != std::string::npos || id.starts_with("sle") ? "suse" : "";
}

Strings hardware_addresses(Files& files) {
  Strings out;
  const auto names = files.list("/sys/class/net");
  if (!names) return out;
  for (const auto& entry : *names) {
    std::string address = line_in(files, "/sys/class/net/" + entry.name + "/address");
    if (address.size() < 17 || address.find_first_not_of("0:") == std::string::npos) continue;
    for (char& c : address) c = c == ':' ? '-' : c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    out.push_back(std::move(address));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Made make_host(const StepOptions& options, const ProcessorWorld& world) {
  auto made = std::make_unique<AddFacts>(options.flag("replace_fields"));
  const std::string text = read_file(world.files, "/etc/os-release", kSmallFile).value_or("");
  const std::string id = release(text, "ID");
  made->fact("host.hostname", world.identity.host_name);
  made->fact("host.name", world.identity.host_name);
  made->fact("host.architecture", line_in(world.files, "/proc/sys/kernel/arch"));
  made->fact("host.id", line_in(world.files, "/etc/machine-id"));
  made->fact("host.os.platform", id);
  made->fact("host.os.family", family_of(id));
  made->fact("host.os.type", "linux");
  made->fact("host.os.name", release(text, "NAME"));
  made->fact("host.os.version", release(text, "VERSION"));
  made->fact("host.os.codename", release(text, "VERSION_CODENAME"));
  made->fact("host.os.kernel", line_in(world.files, "/proc/sys/kernel/osrelease"));
  const Value* net = options.value.find("netinfo.enabled");
  if (net == nullptr || net->data != Value{false}.data) made->list("host.mac", hardware_addresses(world.files));
  if (const Value* geo = options.value.find("geo")) made->facts(*geo, "host.geo");
  return made;
}

/// What cloud-init wrote down when the machine started: no request to the cloud is made.
Made make_cloud(const StepOptions& options, const ProcessorWorld& world) {
  auto made = std::make_unique<AddFacts>(options.flag("overwrite"));
  const auto text = read_file(world.files, "/run/cloud-init/instance-data.json", kSmallFile);
  if (!text) return made;
  event::JsonReader json;
  const auto data = json.read(*text, made->arena());
  if (!data) return made;
  const auto fact = [&](std::string_view key, std::string_view from) {
    const event::Value* const found = find_key(*data, from);
    if (found != nullptr && found->is(Kind::text)) made->fact(key, found->text());
  };
  fact("cloud.provider", "v1.cloud_name");
  fact("cloud.instance.id", "v1.instance_id");
  fact("cloud.instance.name", "ds.meta_data.name");
  fact("cloud.availability_zone", "v1.availability_zone");
  fact("cloud.region", "v1.region");
  fact("cloud.machine.type", "ds.ec2_metadata.instance-type");
  if (find_key(*data, "v1.cloud_name") != nullptr) {
    const event::Value* const provider = find_key(*data, "v1.cloud_name");
    if (provider->is(Kind::text) && provider->text() == "openstack") made->fact("cloud.service.name", "Nova");
  }
  return made;
}

}  // namespace

Made make_time_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics) {
  if (processor.name == "timestamp") return make_timestamp(processor, world, diagnostics);
  if (processor.name == "add_locale")
    return std::make_unique<AddLocale>(StepOptions{processor.options}.text("format") == "abbreviation", world);
  return nullptr;
}

Made make_metadata_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& /*diagnostics*/) {
  const StepOptions options{processor.options};
  if (processor.name == "add_host_metadata") return make_host(options, world);
  if (processor.name == "add_cloud_metadata") return make_cloud(options, world);
  return nullptr;
}

}  // namespace enclave::pipeline::filebeat
