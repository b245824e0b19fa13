#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"

/// The record: one JSON line per event (docs/formats/record.md).
namespace enclave::event {

/// Writes the records of batches; its memory is used again for the next batch. Not thread-safe.
class RecordWriter {
 public:
  RecordWriter();
  ~RecordWriter();
  /// One record per event, LF-terminated, numbered from `first_seq`. The first one, and each whose source is another
  /// than that of the one before, is full; the others are short. Valid until the next call. Never fails: any bytes have
  /// a form.
  std::string_view write(const Batch& batch, std::uint64_t first_seq, std::string_view boot_id);
  /// End offset of each record of the latest write(), without its LF.
  const std::vector<std::size_t>& ends() const { return ends_; }

 private:
  class Buffer;
  std::unique_ptr<Buffer> buffer_;
  std::vector<std::size_t> ends_;
};

/// Appends one record per event of `batch`, LF-terminated, to `out`, numbered from `first_seq`, and the end offset in
/// `out` of each record (without its LF) to `ends`. Never fails: any bytes have a form.
void write_records(const Batch& batch, std::uint64_t first_seq, std::string_view boot_id, std::string& out,
                   std::vector<std::size_t>& ends);

/// A record read back. Owns its texts.
struct Record {
  std::uint64_t seq = 0;
  std::int64_t wall_ns = 0;
  std::int64_t boot_ns = 0;
  std::string boot_id;
  std::string source;
  std::string position;
  std::string raw;  ///< the original bytes, without what ended the line
  std::string eol;  ///< "\n", "\r\n" or ""
  std::uint64_t cut_bytes = 0;
  std::string fields;  ///< the members that are not named above, as one JSON object
  /// The bytes as they stood in the source.
  std::string original() const { return raw + eol; }
};

/// Reads records back, the short ones too; keeps its buffers between calls. Not thread-safe. Any bytes may be given.
class RecordReader {
 public:
  RecordReader();
  ~RecordReader();
  /// `line` without its LF. A short record is completed from the latest full one that was read, which must be the one
  /// that it names. Fault::corrupt with the reason.
  Result<Record> read(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The number of the full record that this short one names; none for a full record, and for what is not a record. Looks
/// at the first members only.
std::optional<std::uint64_t> context_seq(std::string_view line);
/// The short record `line` in full: what it shares with `full`, the record that it names, in the place of the name. A
/// line that is not short comes back as it is.
std::string expanded(std::string_view line, std::string_view full);

/// A JSON string with its quotes. Bytes that are not UTF-8 are replaced by U+FFFD: for what people read.
std::string json_text(std::string_view bytes);
/// Appends `bytes` as the inside of a JSON string. They must be UTF-8.
void append_json_escaped(std::string& out, std::string_view bytes);
/// The same for any bytes: false, with nothing appended, when they are not UTF-8.
bool try_append_json_escaped(std::string& out, std::string_view bytes);

}  // namespace enclave::event
