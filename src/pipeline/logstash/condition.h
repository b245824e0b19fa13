#pragma once

#include <memory>

#include "base/options.h"
#include "event/document.h"
#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

/// An `if` made ready for many events. One thread at a time.
///
/// A field alone is true when it is there and neither null nor false. Values of different kinds are never equal, but
/// numbers are compared as numbers; what cannot be compared by size is false. `in` is substring for texts and
/// membership for lists. A missing field matches no pattern, so `!~` is true of it.
class Condition {
 public:
  /// Null when there was a mistake, which the diagnostics then name.
  static std::unique_ptr<Condition> compile(const Expression& expression, const Configuration& configuration,
                                            Diagnostics& diagnostics);
  virtual ~Condition() = default;
  virtual bool holds(const event::Document& event) const = 0;
};

}  // namespace enclave::pipeline::logstash
