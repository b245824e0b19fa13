#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ports.h"

/// The files that a program writes one after the other, named as Beats name them.
namespace enclave::pipeline {

struct Generations {
  std::string folder;
  std::string name;
  std::size_t keep = 7;  ///< files besides the one that is written
  bool dated = true;     ///< NAME-20260101.ndjson, -1, -2; else NAME, with NAME.1 as the latest before it
};

/// The path to write to from now on; the caller makes the file. `anew`: not one that is there already, which becomes
/// the latest of the older ones. Names change from the oldest on, and only the oldest is ever overwritten: a crash in
/// between loses nothing. Older ones than are to be kept are removed. Faults are those of the file system.
Result<std::string> begin_generation(Files& files, const Generations& of, std::int64_t wall_ns, bool anew);

/// Names of those that are there and have a date, oldest first.
std::vector<std::string> dated_generations(Files& files, const Generations& of);

/// 20260101, in UTC.
std::string date_of_generation(std::int64_t wall_ns);

}  // namespace enclave::pipeline
