#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "pipeline/flow/letter.h"

/// What `enclave deadletters` does with the letters of a flow, whether the flow runs or not. `directory` is the state
/// directory of the flow.
namespace enclave::pipeline {

/// Letters, and lines of the file that are none.
struct LettersRead {
  std::uint64_t letters = 0, unreadable = 0;
};

/// Calls `each` for every letter, in the order in which they were written. No file: no letters.
Result<LettersRead> read_letters(Files& files, const std::string& directory,
                                 const std::function<Result<void>(std::string_view id, const Letter& letter)>& each);

struct Taking {
  std::function<bool(std::string_view id, const Letter& letter)> wanted;
  bool unreadable = false;  ///< lines that are no letters go too
  bool replay = false;      ///< what is taken is given to the flow again; else it is gone
  bool anew = false;        ///< Letter::anew of all of them
};
struct Taken {
  std::uint64_t letters = 0, events = 0;  ///< taken
  std::uint64_t left = 0;                 ///< letters
  std::uint64_t unreadable = 0;           ///< lines, taken or not
};

/// Letters that are written meanwhile stay. After a crash each letter is either still there or taken, whole: the next
/// call of take_letters() or finish_taking() ends what was begun. Fault::conflict when another process takes letters.
Result<Taken> take_letters(World world, const std::string& directory, const Taking& taking);
Result<void> finish_taking(Files& files, const std::string& directory);

/// Bytes of letters that the flow has yet to replay.
std::uint64_t replay_bytes(Files& files, const std::string& directory);

}  // namespace enclave::pipeline
