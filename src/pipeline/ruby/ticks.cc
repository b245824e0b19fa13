#include "pipeline/ruby/ticks.h"

#include <mruby.h>
#include <mruby/debug.h>
#include <mruby/gc.h>
#include <mruby/irep.h>
#include <mruby/opcode.h>
#include <mruby/proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

namespace enclave::pipeline::ruby {
namespace {

// The layouts of operands, as mruby/ops.h names them.
enum class Layout : std::uint8_t { Z, B, BB, BBB, BS, BSS, S, W };
constexpr Layout kLayouts[] = {
#define OPCODE(name, layout) Layout::layout,
#include <mruby/ops.h>
#undef OPCODE
};

/// Bytes of the operands: `first` and `second` with the widths that an EXT prefix gives them.
std::uint32_t operand_bytes(Layout layout, std::uint32_t first, std::uint32_t second) {
  switch (layout) {
    case Layout::Z:
      return 0;
    case Layout::B:
      return first;
    case Layout::BB:
      return first + second;
    case Layout::BBB:
      return first + second + 1;
    case Layout::BS:
      return first + 2;
    case Layout::BSS:
      return first + 4;
    case Layout::S:
      return 2;
    case Layout::W:
      return 3;
  }
  return 0;
}

struct Instruction {
  std::uint32_t at = 0, bytes = 0;
  std::uint8_t code = 0;
  bool is_jump() const {
    return code == OP_JMP || code == OP_JMPUW || code == OP_JMPIF || code == OP_JMPNOT || code == OP_JMPNIL;
  }
};

std::uint32_t number_at(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}
void put_number(std::uint8_t* bytes, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

/// The machine's own structures say "const" of what belongs to it and is made to be replaced.
template <class T>
T* writable(const T* own) {
  return const_cast<T*>(own);  // tidy: allow const_cast: the library's header has no other way to its own memory
}

}  // namespace

/// One sequence of instructions, taken apart and put together with calls in it.
struct Ticks::Rewriter {
  const mrb_irep& code;
  bool of_user;
  std::uint32_t tick_symbol, at_symbol;  ///< their places among the symbols of the code

  std::vector<Instruction> instructions = {};
  std::vector<bool> ticked = {};           ///< by old address: a call stands before it
  std::vector<std::uint32_t> moved = {};   ///< by old address: the new one, behind the call
  std::vector<std::uint32_t> before = {};  ///< by old address: the new one, before the call
  std::vector<std::uint8_t> out = {};

  bool take_apart() {
    for (std::uint32_t at = 0; at < code.ilen;) {
      Instruction one{.at = at, .bytes = 1, .code = code.iseq[at]};
      std::uint32_t first = 1, second = 1;
      if (one.code == OP_EXT1 || one.code == OP_EXT2 || one.code == OP_EXT3) {
        if (one.code != OP_EXT2) first = 2;
        if (one.code != OP_EXT1) second = 2;
        if (at + 1 >= code.ilen) return false;
        one.code = code.iseq[at + 1];
        one.bytes = 2;
      }
      if (one.code >= std::size(kLayouts)) return false;
      one.bytes += operand_bytes(kLayouts[one.code], first, second);
      at += one.bytes;
      if (at > code.ilen) return false;
      instructions.push_back(one);
    }
    return true;
  }

  std::int64_t target_of(const Instruction& jump) const {
    const std::uint32_t end = jump.at + jump.bytes;
    return std::int64_t{end} + static_cast<std::int16_t>(code.iseq[end - 2] << 8 | code.iseq[end - 1]);
  }

  bool mark() {
    ticked.assign(code.ilen + 1, false);
    std::size_t first = 0;
    if (!instructions.empty() && instructions[0].code == OP_ENTER) {
      // Behind it stand jumps by the number of arguments that have defaults; the last of them leads to the body.
      const std::uint32_t at = instructions[0].at + instructions[0].bytes - 3;
      const std::uint32_t shape =
          std::uint32_t{code.iseq[at]} << 16 | std::uint32_t{code.iseq[at + 1]} << 8 | code.iseq[at + 2];
      const std::uint32_t defaults = MRB_ASPEC_OPT(shape);
      first = 1;
      if (defaults > 0) {
        if (instructions.size() <= defaults + 1 || instructions[defaults + 1].code != OP_JMP) return false;
        const std::int64_t body = target_of(instructions[defaults + 1]);
        if (body < 0 || body > code.ilen) return false;
        ticked[static_cast<std::size_t>(body)] = true;
        first = instructions.size();
      }
    }
    if (first < instructions.size()) ticked[instructions[first].at] = true;
    for (const Instruction& one : instructions) {
      if (!one.is_jump()) continue;
      const std::int64_t target = target_of(one);
      if (target < 0 || target > code.ilen) return false;
      if (target <= one.at) ticked[static_cast<std::size_t>(target)] = true;
    }
    return true;
  }

  void emit_send(std::uint8_t send, std::uint32_t reg, std::uint32_t symbol, std::uint8_t arguments) {
    if (reg > 255 || symbol > 255) out.push_back(reg <= 255 ? OP_EXT2 : symbol <= 255 ? OP_EXT1 : OP_EXT3);
    out.push_back(send);
    if (reg > 255) out.push_back(static_cast<std::uint8_t>(reg >> 8));
    out.push_back(static_cast<std::uint8_t>(reg));
    if (symbol > 255) out.push_back(static_cast<std::uint8_t>(symbol >> 8));
    out.push_back(static_cast<std::uint8_t>(symbol));
    out.push_back(arguments);
  }

  void put_together() {
    moved.assign(code.ilen + 1, 0);
    before.assign(code.ilen + 1, 0);
    for (const Instruction& one : instructions) {
      before[one.at] = static_cast<std::uint32_t>(out.size());
      if (ticked[one.at]) emit_send(OP_SSEND, code.nregs, tick_symbol, 0);
      moved[one.at] = static_cast<std::uint32_t>(out.size());
      if (of_user && one.code == OP_GETIDX) {
        const bool wide = one.bytes == 4;
        const std::uint8_t* const operand = code.iseq + one.at + one.bytes - (wide ? 2 : 1);
        emit_send(OP_SEND, wide ? std::uint32_t{operand[0]} << 8 | operand[1] : operand[0], at_symbol, 1);
      } else {
        out.insert(out.end(), code.iseq + one.at, code.iseq + one.at + one.bytes);
      }
    }
    before[code.ilen] = moved[code.ilen] = static_cast<std::uint32_t>(out.size());
  }

  bool aim_jumps() {
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      const Instruction& one = instructions[i];
      if (!one.is_jump()) continue;
      const std::uint32_t end = moved[one.at] + one.bytes;
      const std::int64_t distance = std::int64_t{before[static_cast<std::size_t>(target_of(one))]} - end;
      if (distance < INT16_MIN || distance > INT16_MAX) return false;
      out[end - 2] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(distance) >> 8);
      out[end - 1] = static_cast<std::uint8_t>(distance);
    }
    return true;
  }

  /// A handler begins behind the call where it begins: what a call raises leaves the loop.
  void append_handlers() {
    const auto* const handlers = mrb_irep_catch_handler_table(&code);
    for (std::size_t i = 0; i < code.clen; ++i) {
      mrb_irep_catch_handler handler = handlers[i];
      put_number(handler.begin, moved[std::min(number_at(handler.begin), code.ilen)]);
      put_number(handler.end, before[std::min(number_at(handler.end), code.ilen)]);
      put_number(handler.target, before[std::min(number_at(handler.target), code.ilen)]);
      const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&handler);
      out.insert(out.end(), bytes, bytes + sizeof handler);
    }
  }

  mrb_irep_debug_info* lines(mrb_state* mrb, mrb_irep* into) const {
    const char* const file = mrb_debug_get_filename(mrb, &code, 0);
    if (code.debug_info == nullptr || file == nullptr) return nullptr;
    std::vector<std::uint16_t> line_of(into->ilen);
    std::size_t at = 0;
    for (const Instruction& one : instructions) {
      const auto line = mrb_debug_get_line(mrb, &code, one.at);
      const std::size_t end = before[one.at + one.bytes];
      for (; at < end; ++at) line_of[at] = static_cast<std::uint16_t>(std::max(line, 0));
    }
    mrb_irep_debug_info* const info = mrb_debug_info_alloc(mrb, into);
    info->pc_count = into->ilen;
    mrb_debug_info_append_file(mrb, info, file, line_of.data(), 0, into->ilen);
    return info;
  }
};

Result<void> Ticks::rewrite(mrb_irep* code, bool of_user) {
  if (!done_.insert(code).second) return {};
  for (std::size_t i = 0; i < code->rlen; ++i) TRY(rewrite(writable(code->reps[i]), of_user));
  const Error too_large{Fault::limit, "the code has a method or block that is too large; part it"};
  if (code->slen > UINT16_MAX - 2 || code->nregs > UINT16_MAX - 4) return too_large;
  Rewriter rewriter{*code, of_user, code->slen, std::uint32_t{code->slen} + 1};
  if (!rewriter.take_apart() || !rewriter.mark()) return too_large;
  rewriter.put_together();
  if (!rewriter.aim_jumps()) return too_large;
  const auto length = static_cast<std::uint32_t>(rewriter.out.size());
  rewriter.append_handlers();

  auto* const sequence = static_cast<mrb_code*>(mrb_malloc(mrb_, rewriter.out.size()));
  std::ranges::copy(rewriter.out, sequence);
  auto* const symbols = static_cast<mrb_sym*>(mrb_malloc(mrb_, (code->slen + 2U) * sizeof(mrb_sym)));
  std::copy_n(code->syms, code->slen, symbols);
  symbols[code->slen] = tick_;
  symbols[code->slen + 1] = at_;
  mrb_irep lines_of{};
  lines_of.ilen = length;
  mrb_irep_debug_info* const lines = rewriter.lines(mrb_, &lines_of);

  if ((code->flags & MRB_ISEQ_NO_FREE) == 0) mrb_free(mrb_, writable(code->iseq));
  mrb_free(mrb_, writable(code->syms));
  if (code->debug_info != nullptr) mrb_debug_info_free(mrb_, code->debug_info);
  code->flags &= static_cast<std::uint8_t>(~MRB_ISEQ_NO_FREE);
  code->iseq = sequence;
  code->ilen = length;
  code->syms = symbols;
  code->slen = static_cast<std::uint16_t>(code->slen + 2);
  code->nregs = static_cast<std::uint16_t>(code->nregs + 3);
  code->debug_info = lines;
  return {};
}

/// The library's own code is constant data of the program: what is changed is a copy.
Result<mrb_irep*> Ticks::copy(const mrb_irep* code) {
  mrb_irep* const made = mrb_add_irep(mrb_);
  made->nlocals = code->nlocals;
  made->nregs = code->nregs;
  made->clen = code->clen;
  const std::size_t bytes = code->ilen + code->clen * sizeof(mrb_irep_catch_handler);
  const auto duplicate = [this](const auto* from, std::size_t count) {
    using Item = std::remove_cvref_t<decltype(*from)>;
    auto* const to = static_cast<Item*>(mrb_malloc(mrb_, std::max<std::size_t>(count, 1) * sizeof(Item)));
    std::copy_n(from, count, to);
    return to;
  };
  made->iseq = duplicate(code->iseq, bytes);
  made->ilen = code->ilen;
  mrb_pool_value* const pool = duplicate(code->pool, code->plen);
  for (std::size_t i = 0; i < code->plen; ++i)
    if ((pool[i].tt & (IREP_TT_NFLAG | IREP_TT_SFLAG)) == 0) pool[i].tt |= IREP_TT_SFLAG;
  made->pool = pool;
  made->plen = code->plen;
  made->syms = duplicate(code->syms, code->slen);
  made->slen = code->slen;
  auto** const reps =
      static_cast<const mrb_irep**>(mrb_malloc(mrb_, std::max<std::size_t>(code->rlen, 1) * sizeof(const mrb_irep*)));
  for (std::size_t i = 0; i < code->rlen; ++i) reps[i] = TRY(copy(code->reps[i]));
  made->reps = reps;
  made->rlen = code->rlen;
  return made;
}

Result<void> Ticks::count(RProc* code) {
  done_.clear();
  return rewrite(writable(code->body.irep), true);
}

Result<void> Ticks::count_all() {
  done_.clear();
  std::vector<RProc*> all;
  mrb_objspace_each_objects(
      mrb_,
      [](mrb_state*, RBasic* object, void* data) {
        auto* const proc = reinterpret_cast<RProc*>(object);
        if (object->tt == MRB_TT_PROC && !MRB_PROC_CFUNC_P(proc) && proc->body.irep != nullptr)
          static_cast<std::vector<RProc*>*>(data)->push_back(proc);
        return MRB_EACH_OBJ_OK;
      },
      &all);
  std::map<const mrb_irep*, mrb_irep*> copies;
  for (RProc* proc : all) {
    const mrb_irep* const code = proc->body.irep;
    if ((code->flags & MRB_IREP_NO_FREE) == 0) {
      TRY(rewrite(writable(code), false));
      continue;
    }
    auto& known = copies[code];
    if (known == nullptr) {
      known = TRY(copy(code));
      TRY(rewrite(known, false));
    } else {
      mrb_irep_incref(mrb_, known);
    }
    proc->body.irep = known;
  }
  return {};
}

}  // namespace enclave::pipeline::ruby
