#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/filter.h"
#include "pipeline/logstash/decorations.h"

namespace enclave::pipeline {

/// A path with text references that events fill. What they say never leads out of the folder that stands before the
/// first reference.
class TargetPath {
 public:
  /// A mistake for a path that is not absolute, or whose first name is a reference.
  TargetPath(logstash::PluginOptions& options, std::string_view option, std::string_view failure_name);

  bool is_constant() const { return text_.is_literal(); }
  /// The only path, where it is constant.
  const std::string& constant() const { return constant_; }
  /// "/var/log/app" of "/var/log/app/%{host}.log"
  const std::string& root() const { return root_; }
  /// Where events go whose path is none.
  const std::string& failure() const { return failure_; }

  /// Writes the path of an event to `out`: below root(), without "." and "..", its parts short enough for a file
  /// system. False when there is no such path; `out` is failure() then.
  bool append(const event::Document& event, std::int64_t now_ns, std::string& scratch, std::string& out) const;

 private:
  logstash::TextReference text_;
  std::string constant_, root_, failure_;
};

}  // namespace enclave::pipeline
