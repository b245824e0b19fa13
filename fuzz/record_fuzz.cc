// uses: event
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "event/record.h"

// Foreign bytes as a record, and foreign bytes as a line: the record gives the line back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::event;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RecordReader reader;
  std::string_view full;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto read = reader.read(line);
    if (!context_seq(line)) {
      if (read) full = line;
      continue;
    }
    // What is completed from the record it names says the same when it stands alone.
    const auto alone = RecordReader().read(expanded(line, full));
    if (read && alone) ENSURE(read->raw == alone->raw && read->source == alone->source && read->seq == alone->seq);
  }
  (void)json_text(bytes);
  Batch batch;
  Event event;
  event.raw = batch.store(bytes);
  event.source = batch.source("file:/a@1", "0");
  batch.events.push_back(event);
  std::string out;
  std::vector<std::size_t> ends;
  write_records(batch, 1, "boot", out, ends);
  const auto record = reader.read(std::string_view(out).substr(0, ends[0]));
  ENSURE(record && record->raw == bytes);
  return 0;
}
