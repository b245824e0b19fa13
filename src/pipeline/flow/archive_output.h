#pragma once

#include <memory>

#include "pipeline/input.h"
#include "pipeline/output.h"

/// From a flow into the archive: an output there, an input of the engine here.
namespace enclave::pipeline {

struct ArchiveHandoff {
  std::unique_ptr<Output> output;
  std::unique_ptr<Input> input;
};

/// A batch is safe when the engine has committed it. The positions of its sources go along, so the engine's registry
/// knows how far each was read: a flow with this output opens its sources with the engine's positions. The input ends
/// when the output is destroyed and everything was taken. Each record holds the line itself and, as its member `event`,
/// what the filters made of it (docs/formats/record.md).
Result<ArchiveHandoff> make_archive_handoff();

}  // namespace enclave::pipeline
