#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enclave::pipeline {

/// One journal entry as the members of a record (docs/formats/record.md, "Journal fields"). Any bytes may be given.
/// Reused from entry to entry.
class JournalFields {
 public:
  /// Texts of all fields of an entry together, and of its message, are kept up to this much; the rest is cut and
  /// marked.
  static constexpr std::size_t kBytesMax = 16 << 20;
  static constexpr std::size_t kFieldsMax = 4096;

  void clear();
  /// The bytes must stay valid until append_to(). Fields beyond kFieldsMax are counted, not kept.
  void add(std::string_view name, std::string_view value);
  /// "NAME=value" as the journal stores it; what has no name is left out.
  void add_stored(std::string_view data);

  /// The first MESSAGE, at most kBytesMax of it.
  std::string_view message() const { return message_; }
  std::uint64_t message_cut() const { return message_cut_; }
  bool has(std::string_view name) const;

  /// Appends `"journal":{…}`. Gives the number of values that were cut or left out.
  std::size_t append_to(std::string& out) const;

 private:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  std::vector<Field> fields_;
  std::string_view message_;
  std::uint64_t message_cut_ = 0;
  bool has_message_ = false;
  std::size_t left_out_ = 0;
};

}  // namespace enclave::pipeline
