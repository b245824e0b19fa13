#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "archive/leaf.h"
#include "archive/verify.h"

namespace enclave::archive {

/// What is wrong with the records of one object.
struct RecordProblem {
  Verdict verdict;
  Weight weight;
  std::string text;
  bool wrong_identity = false;
};

/// Opens an object whose stored bytes are those of its leaf, and compares every record with the leaf: their number,
/// their numbering, the root over them, the sources, the boot and the time since
/// it. Memory does not grow with the number of records.
/// Adds the records that it read to `records`.
std::optional<RecordProblem> check_records(const Leaf& leaf, std::string_view object,
                                           std::span<const crypto::AgeIdentity> identities, std::uint64_t& records);

}  // namespace enclave::archive
