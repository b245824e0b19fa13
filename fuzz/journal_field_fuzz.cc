// uses: event pipeline
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "event/record.h"
#include "pipeline/journal_fields.h"

// Fields of an entry, separated by LF, as they would come out of a journal that somebody else wrote. Whatever they
// hold, the record made of them must read back, with the same message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  pipeline::JournalFields fields;
  while (!rest.empty()) {
    const auto field = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(field.size() + (field.size() < rest.size() ? 1 : 0));
    fields.add_stored(field);
  }
  std::string json;
  fields.append_to(json);
  event::Batch batch;
  event::Event& event = batch.events.emplace_back();
  event.source = batch.source("journal:fuzz", "");
  event.raw = fields.message();
  event.fields = json;
  event.eol = event::Eol::none;
  std::string out;
  std::vector<std::size_t> ends;
  event::write_records(batch, 1, "00000000-0000-0000-0000-000000000000", out, ends);
  event::RecordReader reader;
  const auto record = reader.read(std::string_view(out).substr(0, ends.at(0)));
  ENSURE(record.has_value());
  ENSURE(record->raw == fields.message());
  return 0;
}
