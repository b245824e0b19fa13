#pragma once

#include <cstddef>

namespace enclave::io {

struct Window {
  std::size_t columns = 80, rows = 24;
  bool operator==(const Window&) const = default;
};

/// Of the terminal behind the descriptor, now; 80 by 24 where it says nothing or is none.
Window window_of(int descriptor);

}  // namespace enclave::io
