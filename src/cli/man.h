#pragma once

#include "cli/verb.h"

/// Manual pages in roff (man(7)), made from the same tables as the help.
namespace enclave::cli {

std::string man_of_all();              ///< enclave(1)
std::string man_of(const Verb& verb);  ///< enclave-<verb>(1)
std::string man_of_config();           ///< enclave.yaml(5)

}  // namespace enclave::cli
