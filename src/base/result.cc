#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace enclave {

std::string_view name_of(Fault fault) {
  switch (fault) {
    case Fault::invalid:
      return "invalid";
    case Fault::denied:
      return "denied";
    case Fault::absent:
      return "absent";
    case Fault::conflict:
      return "conflict";
    case Fault::busy:
      return "busy";
    case Fault::corrupt:
      return "corrupt";
    case Fault::limit:
      return "limit";
    case Fault::unsupported:
      return "unsupported";
  }
  return "unknown";
}

void ensure_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "enclave: internal error at %s:%d: %s does not hold\n", file, line, expression);
  std::abort();
}

}  // namespace enclave
