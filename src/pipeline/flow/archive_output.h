#pragma once

#include <memory>

#include "pipeline/input.h"
#include "pipeline/output.h"

/// From a flow into the archive: an output there, an input of the engine here.
namespace enclave::pipeline {

/// A batch is safe when the engine has committed it. The positions of its sources go along, so the engine's registry
/// knows how far each was read: a flow with this output opens its sources with the engine's positions. Each record
/// holds the line itself and, as its member `event`, what the filters made of it (docs/formats/record.md).
///
/// The engine's input stays while one flow after the other stands behind it. Thread-safe.
class ArchiveHandoff {
 public:
  static Result<std::unique_ptr<ArchiveHandoff>> make();
  virtual ~ArchiveHandoff() = default;
  /// For the engine, once.
  virtual std::unique_ptr<Input> input() = 0;
  /// For a flow. Of an earlier one must be nothing left: idle().
  virtual std::unique_ptr<Output> output() = 0;
  /// The engine has committed all that it was given, so its positions are where the next flow goes on.
  virtual bool idle() const = 0;
  /// The input ends when everything was taken. Idempotent.
  virtual void close() = 0;
  virtual bool closed() const = 0;
};

}  // namespace enclave::pipeline
