#pragma once

#include <memory>

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/input.h"

/// What must be done to lines before they are put together by a rule that looks at what was logged.
namespace enclave::pipeline::filebeat {

/// Lines in UTF-8, without what a container engine writes around them (Event::fields has `"stream"` and `"ns"` then),
/// of the stream that is asked for; of JSON what its message_key says (then Event::fields has all of it). Lines that
/// the engine cut say kGoesOn (pipeline/multiline.h), unless they are to stay apart. One thread at a time.
class LineOpener {
 public:
  explicit LineOpener(const Input& input);
  ~LineOpener();
  /// The events of a batch from number `from` on.
  void open(event::Batch& batch, std::size_t from);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether its lines are put together by such a rule, and there is anything to do before.
bool is_opened_first(const Input& input);
/// `inner`, its lines opened.
std::unique_ptr<pipeline::Input> opened_lines(std::unique_ptr<pipeline::Input> inner, const Input& input);

}  // namespace enclave::pipeline::filebeat
