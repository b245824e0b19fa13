#pragma once

#include <mruby.h>

#include <set>

#include "base/result.h"

struct RProc;

namespace enclave::pipeline::ruby {

/// The name of the method that counted code calls. No script can spell it.
inline constexpr const char* kTickName = "count a step";

/// Rewrites code so that it calls the method kTickName where each method, block and loop begins: whatever runs for ever
/// passes one of them, and no handler of the same code stands around the call. (The packaged library has no hook for
/// each instruction.) In code of the user also: `a[b]` is always a call of the method `[]`, so that text is indexed by
/// characters. Fault::limit for code that is too large for the machine's jumps.
class Ticks {
 public:
  explicit Ticks(mrb_state* mrb) : mrb_(mrb), tick_(mrb_intern_cstr(mrb, kTickName)), at_(mrb_intern_cstr(mrb, "[]")) {}

  /// Code that was just compiled, with the blocks in it.
  Result<void> count(RProc* code);
  /// Every method and block that there is, those of the library itself too.
  Result<void> count_all();

 private:
  struct Rewriter;
  Result<void> rewrite(struct mrb_irep* code, bool of_user);
  Result<struct mrb_irep*> copy(const struct mrb_irep* code);

  mrb_state* mrb_;
  mrb_sym tick_, at_;
  std::set<const struct mrb_irep*> done_;
};

}  // namespace enclave::pipeline::ruby
