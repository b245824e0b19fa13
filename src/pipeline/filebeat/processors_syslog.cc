#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/filebeat/syslog_shape.h"
#include "pipeline/filebeat/zone.h"

/// syslog.
namespace enclave::pipeline::filebeat {
namespace {

using event::Document;
using event::Kind;

class Syslog final : public Step {
 public:
  Syslog(const StepOptions& options, std::unique_ptr<Zone> zone)
      : field_(options.text("field")),
        format_(options.text("format")),
        zone_(std::move(zone)),
        overwrite_(options.flag("overwrite_keys")),
        ignore_missing_(options.flag("ignore_missing")),
        ignore_failure_(options.flag("ignore_failure")) {}

  void run(Document& event, FilterRun& run) override {
    const event::Value* const found = find_key(event.root(), field_);
    if (found == nullptr) {
      if (!ignore_missing_) failed(event, "key not found");
      return;
    }
    if (!found->is(Kind::text)) return failed(event, fmt::format("type of field \"{}\" is not a string", field_));
    const auto read = read_syslog_fields(found->text(), format_, *zone_->get(), run.now_ns, event.arena());
    if (!read) return failed(event, why_not_syslog(format_));
    write_json_keys(event, read->fields, overwrite_, !ignore_failure_);
    if (read->wall_ns) event.set_wall_ns(*read->wall_ns);
  }

 private:
  void failed(Document& event, std::string_view why) const {
    if (!ignore_failure_) set_error(event, fmt::format("syslog failed to process field \"{}\": {}", field_, why));
  }

  const std::string field_, format_;
  const std::unique_ptr<Zone> zone_;
  const bool overwrite_, ignore_missing_, ignore_failure_;
};

}  // namespace

Made make_syslog_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics) {
  if (processor.name != "syslog") return nullptr;
  const StepOptions options{processor.options};
  auto zone = std::make_unique<Zone>(options.text("timezone"), world.files, world.zones);
  if (zone->get() == nullptr)
    diagnostics.error(processor.place,
                      fmt::format("syslog: timezone: {} is no zone that this machine knows", options.text("timezone")));
  const std::string format = options.text("format");
  if (format != "auto" && format != "rfc3164" && format != "rfc5424")
    diagnostics.error(processor.place, fmt::format("syslog: format: {} is none of auto, rfc3164, rfc5424", format));
  return std::make_unique<Syslog>(options, std::move(zone));
}

}  // namespace enclave::pipeline::filebeat
