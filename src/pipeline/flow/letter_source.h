#pragma once

#include <memory>
#include <string>

#include "pipeline/source.h"

namespace enclave::pipeline {

/// Dead letters that shall be sent again: the files DIRECTORY/replay/*.ndjson, oldest first. An event of it is one
/// line, a letter. A file goes when all of it is safe with the outputs. `directory` is a flow's state directory.
std::unique_ptr<Source> make_letter_source(std::string directory);

}  // namespace enclave::pipeline
