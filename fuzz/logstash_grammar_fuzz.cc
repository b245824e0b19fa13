// uses: pipeline event base
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/logstash/lint.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/printer.h"

using namespace enclave;
using namespace enclave::pipeline::logstash;

namespace {

constexpr int kDepthMax = 6;

/// Writes a valid configuration: each byte chooses among what the grammar allows at that place.
class Writer {
 public:
  Writer(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::string run() {
    for (std::size_t i = 0, sections = pick(4); i <= sections; ++i) {
      const std::size_t kind = pick(3);
      blank();
      out_ += std::array{"input", "filter", "output"}[kind];
      blank();
      out_ += '{';
      items(kind == 0 ? kDepthMax : 0, 3);
      out_ += '}';
    }
    blank();
    return std::move(out_);
  }

 private:
  std::size_t pick(std::size_t of) { return at_ < size_ ? data_[at_++] % of : 0; }

  void blank() {
    constexpr std::array kBlanks = {" ", "\n", "\t", "\r\n", " # a comment } \" '\n", "  "};
    out_ += kBlanks[pick(kBlanks.size())];
  }

  /// Inputs stand in no condition: their depth begins at the end.
  void items(int depth, std::size_t most) {
    for (std::size_t i = 0, count = pick(most); i < count; ++i) {
      blank();
      if (depth < kDepthMax && pick(3) == 0)
        branch(depth);
      else
        plugin(depth);
    }
    blank();
  }

  void plugin(int depth) {
    constexpr std::array kNames = {"mutate", "grok", "my-plugin_2", "x1", "\"quoted\""};
    out_ += kNames[pick(kNames.size())];
    blank();
    out_ += '{';
    for (std::size_t i = 0, count = pick(4); i < count; ++i) {
      blank();
      const std::size_t name = pick(4);
      out_ += name == 3 ? fmt::format("\"a b{}\"", i)
                        : fmt::format("{}{}", std::array{"name", "add_field", "codec"}[name], i);
      blank();
      out_ += "=>";
      blank();
      value(depth);
    }
    blank();
    out_ += '}';
  }

  void branch(int depth) {
    for (std::size_t i = 0, arms = 1 + pick(3); i < arms; ++i) {
      out_ += i == 0 ? "if " : " else if ";
      condition(0);
      block(depth);
    }
    if (pick(2) == 1) {
      out_ += " else ";
      block(depth);
    }
  }

  void block(int depth) {
    blank();
    out_ += '{';
    items(depth + 1, 3);
    out_ += '}';
  }

  void condition(int depth) {
    expression(depth);
    // "xor" and "nand" join two and no more.
    const bool two = pick(4) == 3;
    for (std::size_t i = 0, more = two ? 1 : pick(4); i < more; ++i) {
      blank();
      out_ += two ? std::array{"xor", "nand"}[pick(2)] : std::array{"and", "or"}[pick(2)];
      blank();
      out_ += ' ';
      expression(depth);
    }
  }

  void expression(int depth) {
    switch (depth >= kDepthMax ? 3 + pick(3) : (pick(6) + 3) % 6) {
      case 0:
        out_ += '(';
        condition(depth + 1);
        out_ += ')';
        return;
      case 1:
        out_ += "!(";
        condition(depth + 1);
        out_ += ')';
        return;
      case 2:
        out_ += '!';
        return selector();
      case 3:
        operand();
        blank();
        out_ += std::array{"==", "!=", "<", ">", "<=", ">="}[pick(6)];
        blank();
        return operand();
      case 4:
        pick(2) == 0 ? selector() : text();
        blank();
        out_ += std::array{"=~", "!~"}[pick(2)];
        blank();
        if (pick(2) == 0) return text();
        out_ += std::array{"/a+/", "/\\//", "/^[0-9]{3}$/", "/#/"}[pick(4)];
        return;
      default:
        operand();
        out_ += std::array{" in ", " not in "}[pick(2)];
        if (pick(2) == 0) return selector();
        return array(kDepthMax);
    }
  }

  void operand() { pick(3) == 0 ? text() : pick(2) == 0 ? number() : selector(); }

  void selector() {
    for (std::size_t i = 0, parts = 1 + pick(3); i < parts; ++i)
      out_ += std::array{"[a]", "[@metadata]", "[with space]", "[0]", "[tags]"}[pick(5)];
  }

  void value(int depth) {
    switch (depth >= kDepthMax ? pick(3) : pick(6)) {
      case 0:
        return text();
      case 1:
        return number();
      case 2:
        out_ += std::array{"true", "bare_word", "a1"}[pick(3)];
        return;
      case 3:
        return array(depth);
      case 4:
        out_ += '{';
        for (std::size_t i = 0, count = pick(4); i < count; ++i) {
          blank();
          out_ += fmt::format("\"key{}\"", i);
          blank();
          out_ += "=>";
          blank();
          value(depth + 1);
        }
        blank();
        out_ += '}';
        return;
      default:
        return plugin(depth + 1);
    }
  }

  void array(int depth) {
    out_ += '[';
    // A list of one is a reference to a field where a condition stands.
    std::size_t count = pick(4);
    if (count == 1 && depth >= kDepthMax) count = 2;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      blank();
      depth >= kDepthMax ? text() : value(depth + 1);
      blank();
    }
    out_ += ']';
  }

  void text() {
    constexpr std::array kTexts = {"\"\"",     "'single'",      "\"dou\\\"ble\"", "'it\\'s'",   "\"two\nlines\"",
                                   "\"%{a}\"", "\"${X:none}\"", "\"# no }\"",     "'\"mixed\"'"};
    out_ += kTexts[pick(kTexts.size())];
  }

  void number() { out_ += std::array{"0", "-1", "42", "3.14", "-0.5", "100000"}[pick(6)]; }

  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
  std::string out_;
};

}  // namespace

// What the grammar allows is read without a mistake; printed and read again it is the same tree, and its lint ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string written = Writer(data, size).run();
  Diagnostics diagnostics;
  Configuration first;
  parse_config(written, "a.conf", {}, first, diagnostics);
  if (diagnostics.has_errors()) fmt::print(stderr, "{}\n{}", written, diagnostics.text());
  ENSURE(!diagnostics.has_errors());
  const std::string text = to_text(first);
  Configuration second;
  parse_config(text, "b.conf", {}, second, diagnostics);
  if (diagnostics.has_errors()) fmt::print(stderr, "{}\n{}\n{}", written, text, diagnostics.text());
  ENSURE(!diagnostics.has_errors());
  ENSURE(to_json(second, false) == to_json(first, false));
  ENSURE(to_text(second) == text);
  (void)lint(first);
  return 0;
}
