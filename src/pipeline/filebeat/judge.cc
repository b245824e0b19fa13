#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/network.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/regex.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Document;
using event::Kind;

/// Of the value of a field, or of any item when it is a list.
template <class Test>
bool any_of_it(const event::Value& value, Test test) {
  return value.is(Kind::list) ? std::ranges::any_of(value.items(), test) : test(value);
}

/// Numbers and flags of events are looked at as their text.
std::string_view text_in(const event::Value& value, std::string& scratch) {
  if (value.is(Kind::text)) return value.text();
  if (value.is(Kind::map) || value.is(Kind::list) || value.is(Kind::null)) return {};
  scratch.clear();
  append_text(value, scratch);
  return scratch;
}

bool equals(const event::Value& found, const Value& wanted) {
  if (const auto* text = wanted.text()) return found.is(Kind::text) && found.text() == *text;
  if (const auto* flag = std::get_if<bool>(&wanted.data)) return found.is(Kind::boolean) && found.boolean() == *flag;
  const auto* whole = std::get_if<std::int64_t>(&wanted.data);
  const auto number = number_of(found);
  return whole != nullptr && number && *number == static_cast<double>(*whole);
}

std::optional<double> real_of(const event::Value& value) {
  if (const auto number = number_of(value)) return number;
  if (!value.is(Kind::text)) return std::nullopt;
  double out = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool in_range(const event::Value& found, std::string_view op, const Value& bound) {
  const auto number = real_of(found);
  if (!number) return false;
  const auto* whole = std::get_if<std::int64_t>(&bound.data);
  const double limit = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(bound.data);
  if (op == "gte") return *number >= limit;
  if (op == "gt") return *number > limit;
  return op == "lte" ? *number <= limit : *number < limit;
}

std::string plain(const Value& value) { return value.text() != nullptr ? *value.text() : to_json(value); }

Judge judge_of_contains(const FieldTest& test) {
  return [field = test.field, wanted = plain(test.value)](const Document& event) {
    const auto* found = find_key(event.root(), field);
    std::string scratch;
    if (found == nullptr) return false;
    if (found->is(Kind::list))
      return std::ranges::any_of(found->items(),
                                 [&](const event::Value& one) { return text_in(one, scratch) == wanted; });
    return text_in(*found, scratch).find(wanted) != std::string_view::npos;
  };
}

Judge judge_of_pattern(const FieldTest& test, Diagnostics& diagnostics) {
  auto pattern = Regex::compile(plain(test.value));
  if (!pattern) {
    diagnostics.error(test.place, fmt::format("regexp: {}: {}", test.field, pattern.error().text()));
    return [](const Document&) { return false; };
  }
  const auto shared = std::make_shared<Regex>(std::move(*pattern));
  return [field = test.field, shared](const Document& event) {
    const auto* found = find_key(event.root(), field);
    std::string scratch;
    return found != nullptr && any_of_it(*found, [&](const event::Value& one) {
             return shared->search(text_in(one, scratch)) == Regex::Outcome::yes;
           });
  };
}

Judge judge_of_networks(const FieldTest& test, Diagnostics& diagnostics) {
  std::vector<AddressTest> networks;
  const auto add = [&](const Value& one) {
    if (auto network = address_test(plain(one))) {
      networks.push_back(std::move(*network));
    } else {
      diagnostics.error(test.place, fmt::format("network: {}: {} is no network", test.field, plain(one)));
    }
  };
  if (test.value.list() != nullptr) {
    for (const auto& one : *test.value.list()) add(one);
  } else {
    add(test.value);
  }
  return [field = test.field, networks](const Document& event) {
    const auto* found = find_key(event.root(), field);
    return found != nullptr && any_of_it(*found, [&](const event::Value& one) {
             const auto address = one.is(Kind::text) ? parse_address(one.text()) : std::nullopt;
             return address && std::ranges::any_of(networks, [&](const auto& test_one) { return test_one(*address); });
           });
  };
}

Judge judge_of(Condition::Kind kind, const FieldTest& test, Diagnostics& diagnostics) {
  switch (kind) {
    case Condition::Kind::contains:
      return judge_of_contains(test);
    case Condition::Kind::regexp:
      return judge_of_pattern(test, diagnostics);
    case Condition::Kind::network:
      return judge_of_networks(test, diagnostics);
    case Condition::Kind::range:
      return [test](const Document& event) {
        const auto* found = find_key(event.root(), test.field);
        return found != nullptr && in_range(*found, test.op, test.value);
      };
    case Condition::Kind::has_fields:
      return [test](const Document& event) { return find_key(event.root(), test.field) != nullptr; };
    default:
      return [test](const Document& event) {
        const auto* found = find_key(event.root(), test.field);
        return found != nullptr && equals(*found, test.value);
      };
  }
}

}  // namespace

Judge make_judge(const Condition& condition, Diagnostics& diagnostics) {
  std::vector<Judge> all;
  for (const auto& child : condition.children) all.push_back(make_judge(child, diagnostics));
  for (const auto& test : condition.tests) all.push_back(judge_of(condition.kind, test, diagnostics));
  const auto kind = condition.kind;
  return [all, kind](const Document& event) {
    const auto holds = [&](const Judge& one) { return one(event); };
    if (kind == Condition::Kind::any_of) return std::ranges::any_of(all, holds);
    if (kind == Condition::Kind::none_of) return std::ranges::none_of(all, holds);
    return std::ranges::all_of(all, holds);
  };
}

}  // namespace enclave::pipeline::filebeat
