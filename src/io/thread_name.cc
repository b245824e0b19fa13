#include "io/thread_name.h"

#include <pthread.h>

#include <algorithm>

namespace enclave::io {

void name_this_thread(std::string name) {
  constexpr std::size_t kBytesMax = 15;
  name.resize(std::min(name.size(), kBytesMax));
  (void)::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace enclave::io
