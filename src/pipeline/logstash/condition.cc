#include "pipeline/logstash/condition.h"

#include <algorithm>
#include <optional>

#include "pipeline/logstash/field_reference.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline::logstash {
namespace {

using event::Kind;
using EventValue = event::Value;

/// One side of a comparison: a field of the event, or a constant that lives as long as the condition.
class Operand {
 public:
  explicit Operand(FieldReference field) : field_(std::move(field)) {}
  Operand(std::shared_ptr<event::Arena> arena, EventValue constant) : arena_(std::move(arena)), constant_(constant) {}

  /// Null for a field that is not there.
  const EventValue* of(const event::Document& event) const {
    return field_ ? event.find(event::Path(field_->segments())) : &constant_;
  }

 private:
  std::optional<FieldReference> field_;
  std::shared_ptr<event::Arena> arena_;
  EventValue constant_;
};

EventValue constant_of(const Value& from, event::Arena& arena) {
  if (const auto* number = std::get_if<Number>(&from.data))
    return std::visit([](auto value) { return EventValue::of(value); }, number->value);
  if (const std::string* text = text_of(from)) return EventValue::of(arena.store(*text));
  EventValue list = EventValue::list(arena);
  if (const auto* array = std::get_if<Array>(&from.data))
    for (const Value& item : array->items) list.append(arena, constant_of(item, arena));
  return list;
}

EventValue constant_of(const Rvalue& from, event::Arena& arena) {
  if (const auto* number = std::get_if<Number>(&from.data))
    return std::visit([](auto value) { return EventValue::of(value); }, number->value);
  if (const auto* text = std::get_if<String>(&from.data)) return EventValue::of(arena.store(text->value));
  EventValue list = EventValue::list(arena);
  if (const auto* array = std::get_if<Array>(&from.data))
    for (const Value& item : array->items) list.append(arena, constant_of(item, arena));
  return list;
}

bool is_number(const EventValue& value) { return value.is(Kind::integer) || value.is(Kind::real); }
double number_of(const EventValue& value) {
  return value.is(Kind::integer) ? static_cast<double>(value.integer()) : value.real();
}

/// Less than 0, 0, more than 0; none for what has no order.
std::optional<int> order(const EventValue& a, const EventValue& b) {
  if (a.is(Kind::text) && b.is(Kind::text)) return a.text().compare(b.text());
  if (is_number(a) && is_number(b)) {
    if (a.is(Kind::integer) && b.is(Kind::integer))
      return a.integer() < b.integer() ? -1 : static_cast<int>(a.integer() > b.integer());
    return number_of(a) < number_of(b) ? -1 : static_cast<int>(number_of(a) > number_of(b));
  }
  if (a.is(Kind::time) && b.is(Kind::time))
    return a.wall_ns() < b.wall_ns() ? -1 : static_cast<int>(a.wall_ns() > b.wall_ns());
  return std::nullopt;
}

class Compare final : public Condition {
 public:
  Compare(CompareOperator operation, Operand left, Operand right)
      : operation_(operation), left_(std::move(left)), right_(std::move(right)) {}

  bool holds(const event::Document& event) const override {
    static const EventValue kNull;
    const EventValue* const left = left_.of(event);
    const EventValue* const right = right_.of(event);
    const EventValue& a = left == nullptr ? kNull : *left;
    const EventValue& b = right == nullptr ? kNull : *right;
    if (operation_ == CompareOperator::equal) return a == b;
    if (operation_ == CompareOperator::not_equal) return !(a == b);
    const auto by = order(a, b);
    if (!by) return false;
    switch (operation_) {
      case CompareOperator::less:
        return *by < 0;
      case CompareOperator::greater:
        return *by > 0;
      case CompareOperator::less_equal:
        return *by <= 0;
      default:
        return *by >= 0;
    }
  }

 private:
  CompareOperator operation_;
  Operand left_, right_;
};

class Within final : public Condition {
 public:
  Within(bool negated, Operand item, Operand list)
      : negated_(negated), item_(std::move(item)), list_(std::move(list)) {}

  bool holds(const event::Document& event) const override { return found(event) != negated_; }

 private:
  bool found(const event::Document& event) const {
    const EventValue* const item = item_.of(event);
    const EventValue* const in = list_.of(event);
    if (item == nullptr || in == nullptr) return false;
    if (in->is(Kind::list)) return std::ranges::find(in->items(), *item) != in->items().end();
    if (in->is(Kind::text)) return item->is(Kind::text) && in->text().find(item->text()) != std::string_view::npos;
    return *item == *in;
  }
  bool negated_;
  Operand item_, list_;
};

class Matches final : public Condition {
 public:
  Matches(bool negated, Operand subject, Regex pattern)
      : negated_(negated), subject_(std::move(subject)), pattern_(std::move(pattern)) {}

  bool holds(const event::Document& event) const override {
    const EventValue* const subject = subject_.of(event);
    if (subject == nullptr || subject->is(Kind::null)) return negated_;
    return found(*subject) != negated_;
  }

 private:
  bool found(const EventValue& subject) const {
    if (subject.is(Kind::text)) return pattern_.search(subject.text()) == Regex::Outcome::yes;
    if (subject.is(Kind::list))
      return std::ranges::any_of(subject.items(), [&](const auto& one) { return found(one); });
    std::string text;
    event::append_text(subject, text);
    return pattern_.search(text) == Regex::Outcome::yes;
  }
  bool negated_;
  Operand subject_;
  Regex pattern_;
};

class There final : public Condition {
 public:
  explicit There(FieldReference field) : field_(std::move(field)) {}
  bool holds(const event::Document& event) const override {
    const EventValue* const value = event.find(event::Path(field_.segments()));
    return value != nullptr && !value->is(Kind::null) && !(value->is(Kind::boolean) && !value->boolean());
  }

 private:
  FieldReference field_;
};

class Negation final : public Condition {
 public:
  explicit Negation(std::unique_ptr<Condition> operand) : operand_(std::move(operand)) {}
  bool holds(const event::Document& event) const override { return !operand_->holds(event); }

 private:
  std::unique_ptr<Condition> operand_;
};

class Junction final : public Condition {
 public:
  Junction(LogicOperator operation, std::unique_ptr<Condition> left, std::unique_ptr<Condition> right)
      : operation_(operation), left_(std::move(left)), right_(std::move(right)) {}
  bool holds(const event::Document& event) const override {
    switch (operation_) {
      case LogicOperator::and_:
        return left_->holds(event) && right_->holds(event);
      case LogicOperator::or_:
        return left_->holds(event) || right_->holds(event);
      case LogicOperator::nand:
        return !(left_->holds(event) && right_->holds(event));
      default:
        return left_->holds(event) != right_->holds(event);
    }
  }

 private:
  LogicOperator operation_;
  std::unique_ptr<Condition> left_, right_;
};

/// Expressions are at most kExpressionDepthMax deep, so recursion is bounded.
class Compiler {
 public:
  Compiler(const Configuration& configuration, Diagnostics& diagnostics)
      : configuration_(configuration), diagnostics_(diagnostics) {}

  std::unique_ptr<Condition> compile(const Expression& from) {
    return std::visit([&](const auto& data) { return make(data, from.position); }, from.data);
  }

 private:
  std::unique_ptr<Condition> make(const Logic& from, const Position& /*at*/) {
    auto left = compile(*from.left), right = compile(*from.right);
    if (!left || !right) return nullptr;
    return std::make_unique<Junction>(from.operation, std::move(left), std::move(right));
  }
  std::unique_ptr<Condition> make(const Not& from, const Position& /*at*/) {
    auto operand = compile(*from.operand);
    return operand ? std::make_unique<Negation>(std::move(operand)) : nullptr;
  }
  std::unique_ptr<Condition> make(const Comparison& from, const Position& /*at*/) {
    auto left = operand(from.left), right = operand(from.right);
    if (!left || !right) return nullptr;
    return std::make_unique<Compare>(from.operation, std::move(*left), std::move(*right));
  }
  std::unique_ptr<Condition> make(const Membership& from, const Position& /*at*/) {
    auto item = operand(from.item), list = operand(from.list);
    if (!item || !list) return nullptr;
    return std::make_unique<Within>(from.negated, std::move(*item), std::move(*list));
  }
  std::unique_ptr<Condition> make(const Match& from, const Position& at) {
    auto subject = operand(from.subject);
    std::string pattern;
    if (const auto* regexp = std::get_if<Regexp>(&from.pattern.data)) {
      pattern = regexp->pattern;
    } else if (const auto* text = std::get_if<String>(&from.pattern.data)) {
      pattern = text->value;
    }
    auto regex = compile_ruby(pattern);
    if (!regex) return refused(at, regex.error());
    if (!subject) return nullptr;
    return std::make_unique<Matches>(from.negated, std::move(*subject), std::move(*regex));
  }
  std::unique_ptr<Condition> make(const Truth& from, const Position& at) {
    auto field = FieldReference::parse(from.field.text);
    if (!field) return refused(at, field.error());
    return std::make_unique<There>(std::move(*field));
  }

  std::optional<Operand> operand(const Rvalue& from) {
    if (const auto* selector = std::get_if<Selector>(&from.data)) {
      auto field = FieldReference::parse(selector->text);
      if (field) return Operand(std::move(*field));
      refused(from.position, field.error());
      return std::nullopt;
    }
    auto arena = std::make_shared<event::Arena>();
    const EventValue constant = constant_of(from, *arena);
    return Operand(std::move(arena), constant);
  }

  std::unique_ptr<Condition> refused(const Position& at, const Error& error) {
    diagnostics_.error(configuration_.place(at), error.text());
    return nullptr;
  }

  const Configuration& configuration_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::unique_ptr<Condition> Condition::compile(const Expression& expression, const Configuration& configuration,
                                              Diagnostics& diagnostics) {
  return Compiler(configuration, diagnostics).compile(expression);
}

}  // namespace enclave::pipeline::logstash
