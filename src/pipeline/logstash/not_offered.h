#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace enclave::pipeline::logstash {

/// What to say of a plugin that is not offered: the one that does its job, else the nearest name, else all names.
/// `kind`: "filter", "input", "output", "codec".
std::string not_offered(std::string_view kind, std::string_view name, std::span<const std::string_view> names);

template <class Card>
std::string not_offered(std::string_view kind, std::string_view name, std::span<const Card* const> cards) {
  std::vector<std::string_view> names;
  for (const Card* card : cards) names.push_back(card->name);
  return not_offered(kind, name, std::span<const std::string_view>(names));
}

}  // namespace enclave::pipeline::logstash
