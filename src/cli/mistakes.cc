#include "cli/mistakes.h"

#include "cli/json.h"
#include "event/json.h"

namespace enclave::cli {

std::string mistakes_json(const Diagnostics& diagnostics) {
  return event::json_array(diagnostics.entries(), [](const Diagnostics::Entry& entry) {
    return JsonObject()
        .text("severity", entry.severity == Diagnostics::Severity::error ? "error" : "warning")
        .text("file", entry.place.file)
        .number("line", entry.place.line)
        .number("column", entry.place.column)
        .text("text", entry.text)
        .done();
  });
}

}  // namespace enclave::cli
