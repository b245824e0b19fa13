#include "pipeline/logstash/date_pattern.h"

#include <algorithm>
#include <span>

namespace enclave::pipeline::logstash {
namespace {

using Field = DatePattern::Field;
using Part = DatePattern::Part;
using Language = DatePattern::Language;

struct Letter {
  char letter;
  Field number;
  Field text;  ///< with text_from letters and more
  std::uint8_t text_from;
  std::uint8_t most;  ///< digits, Joda
};
constexpr std::uint8_t kNever = 255;

constexpr Letter kJoda[] = {{'G', Field::era, Field::era, 1, 0},
                            {'C', Field::century, Field::century, kNever, 9},
                            {'Y', Field::year_of_era, Field::year_of_era, kNever, 9},
                            {'x', Field::weekyear, Field::weekyear, kNever, 9},
                            {'w', Field::week, Field::week, kNever, 2},
                            {'e', Field::weekday, Field::weekday, kNever, 1},
                            {'E', Field::weekday_text, Field::weekday_text, 1, 0},
                            {'y', Field::year, Field::year, kNever, 9},
                            {'D', Field::day_of_year, Field::day_of_year, kNever, 3},
                            {'M', Field::month, Field::month_text, 3, 2},
                            {'d', Field::day, Field::day, kNever, 2},
                            {'a', Field::half_day, Field::half_day, 1, 0},
                            {'K', Field::hour_from_0_to_11, Field::hour_from_0_to_11, kNever, 2},
                            {'h', Field::hour_from_1_to_12, Field::hour_from_1_to_12, kNever, 2},
                            {'H', Field::hour, Field::hour, kNever, 2},
                            {'k', Field::hour_from_1_to_24, Field::hour_from_1_to_24, kNever, 2},
                            {'m', Field::minute, Field::minute, kNever, 2},
                            {'s', Field::second, Field::second, kNever, 2},
                            {'S', Field::fraction, Field::fraction, kNever, 9},
                            {'z', Field::zone_text, Field::zone_text, 1, 0},
                            {'Z', Field::offset, Field::zone_id, 3, 0}};

/// `most` is here how many letters may stand in a row.
constexpr Letter kJava[] = {{'G', Field::era, Field::era, 1, 5},
                            {'u', Field::year, Field::year, kNever, 9},
                            {'y', Field::year_of_era, Field::year_of_era, kNever, 9},
                            {'Y', Field::weekyear, Field::weekyear, kNever, 9},
                            {'D', Field::day_of_year, Field::day_of_year, kNever, 3},
                            {'M', Field::month, Field::month_text, 3, 5},
                            {'L', Field::month, Field::month_text, 3, 5},
                            {'d', Field::day, Field::day, kNever, 2},
                            {'Q', Field::quarter, Field::quarter_text, 3, 5},
                            {'q', Field::quarter, Field::quarter_text, 3, 5},
                            {'w', Field::week, Field::week, kNever, 2},
                            {'W', Field::week_of_month, Field::week_of_month, kNever, 1},
                            {'F', Field::week_in_month, Field::week_in_month, kNever, 1},
                            {'E', Field::weekday_text, Field::weekday_text, 1, 5},
                            {'e', Field::weekday, Field::weekday_text, 3, 5},
                            {'c', Field::weekday, Field::weekday_text, 3, 5},
                            {'a', Field::half_day, Field::half_day, 1, 1},
                            {'h', Field::hour_from_1_to_12, Field::hour_from_1_to_12, kNever, 2},
                            {'K', Field::hour_from_0_to_11, Field::hour_from_0_to_11, kNever, 2},
                            {'k', Field::hour_from_1_to_24, Field::hour_from_1_to_24, kNever, 2},
                            {'H', Field::hour, Field::hour, kNever, 2},
                            {'m', Field::minute, Field::minute, kNever, 2},
                            {'s', Field::second, Field::second, kNever, 2},
                            {'S', Field::fraction, Field::fraction, kNever, 9},
                            {'A', Field::milli_of_day, Field::milli_of_day, kNever, 19},
                            {'n', Field::nano_of_second, Field::nano_of_second, kNever, 19},
                            {'N', Field::nano_of_day, Field::nano_of_day, kNever, 19},
                            {'V', Field::zone_id, Field::zone_id, 1, 2},
                            {'z', Field::zone_text, Field::zone_text, 1, 4},
                            {'O', Field::offset, Field::offset, 1, 4},
                            {'X', Field::offset, Field::offset, 1, 5},
                            {'x', Field::offset, Field::offset, 1, 5},
                            {'Z', Field::offset, Field::offset, 1, 5}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_year(Field field) { return field == Field::year || field == Field::year_of_era || field == Field::weekyear; }
bool is_number(const Part& part) { return part.most > 0; }

/// How many digits are printed and read, by each language's rules.
void set_digits(Part& part, Language language, const Letter& letter) {
  part.printed = part.count;
  if (is_year(part.field) && part.count == 2) {
    part.field = part.field == Field::weekyear ? Field::short_weekyear : Field::short_year;
    part.least = part.most = 2;
    return;
  }
  if (part.field == Field::fraction) {
    part.least = language == Language::java ? part.count : 1;
    part.most = part.count;
  } else if (language == Language::joda) {
    part.least = 1;
    part.most = std::max(letter.most, part.count);
  } else {
    part.least = part.count;
    const bool fixed = part.count == 2 && !is_year(part.field) && letter.most <= 5 && part.field != Field::day_of_year;
    part.most = fixed ? 2 : part.field == Field::day_of_year ? 3 : 19;
  }
}

Result<Part> part_of(char letter, std::size_t count, Language language) {
  const std::span<const Letter> letters =
      language == Language::joda ? std::span<const Letter>(kJoda) : std::span<const Letter>(kJava);
  const auto* found = std::find_if(letters.data(), letters.data() + letters.size(),
                                   [letter](const Letter& one) { return one.letter == letter; });
  if (found == letters.data() + letters.size())
    return Error{Fault::invalid, "the letter {} means nothing in a date pattern; write '{}' for the letter itself",
                 letter, letter};
  const bool sized = language == Language::java && found->most > 0;
  const std::size_t most = sized ? found->most : 20;
  if (count > most || (letter == 'V' && count != 2) || (letter == 'O' && count != 1 && count != 4))
    return Error{Fault::invalid, "{} letters {} in a row mean nothing in a date pattern", count, letter};
  Part part;
  part.letter = letter;
  part.count = static_cast<std::uint8_t>(count);
  part.field = count >= found->text_from ? found->text : found->number;
  part.least = part.most = 0;
  if (count < found->text_from && part.field != Field::offset) set_digits(part, language, *found);
  return part;
}

/// The digits that a field of open width must leave to those behind it.
void reserve_digits(std::vector<Part>& parts, Language language) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    Part& part = parts[i];
    if (!is_number(part) || !is_number(parts[i + 1])) continue;
    if (language == Language::joda) {
      if (is_year(part.field)) part.most = part.count;
      continue;
    }
    if (part.least == part.most) continue;
    std::size_t width = 0;
    for (std::size_t j = i + 1; j < parts.size() && is_number(parts[j]) && parts[j].least == parts[j].most; ++j)
      width += parts[j].least;
    part.reserved = static_cast<std::uint8_t>(std::min<std::size_t>(width, 200));
  }
}

Part literal_of(std::string text) {
  Part part;
  part.most = part.least = 0;
  part.literal = std::move(text);
  return part;
}

/// The text of quotes from `at`, which stands on the opening one; moves it behind the closing one.
Result<std::string> quoted(std::string_view pattern, std::size_t& at, Language language) {
  if (pattern.substr(at).starts_with("''")) {
    at += 2;
    return "'";
  }
  std::string text;
  for (++at; at < pattern.size(); ++at) {
    if (pattern[at] != '\'') {
      text += pattern[at];
    } else if (pattern.substr(at).starts_with("''")) {
      text += pattern[at++];
    } else {
      ++at;
      return text;
    }
  }
  if (language == Language::joda) return text;
  return Error{Fault::invalid, "a quote in a date pattern is never closed"};
}

}  // namespace

Result<DatePattern> DatePattern::compile(std::string_view pattern, Language language) {
  if (pattern.empty()) return Error{Fault::invalid, "an empty date pattern"};
  if (pattern.size() > kPatternBytesMax)
    return Error{Fault::limit, "a date pattern of {} bytes, at most {}", pattern.size(), kPatternBytesMax};
  DatePattern out;
  out.language_ = language;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (is_letter(c)) {
      const std::size_t end = std::min(pattern.find_first_not_of(c, i), pattern.size());
      out.parts_.push_back(TRY(part_of(c, end - i, language)));
      i = end;
    } else if (language == Language::java && (c == '[' || c == ']')) {
      Part part = literal_of("");
      part.field = c == '[' ? Field::optional_begin : Field::optional_end;
      if (c == ']') {
        if (open.empty()) return Error{Fault::invalid, "a \"]\" closes nothing in a date pattern"};
        out.parts_[open.back()].jump = static_cast<std::uint16_t>(out.parts_.size());
        open.pop_back();
      } else {
        open.push_back(out.parts_.size());
      }
      out.parts_.push_back(std::move(part));
      ++i;
    } else if (language == Language::java && (c == '{' || c == '}' || c == '#')) {
      return Error{Fault::invalid, "\"{}\" means nothing in a date pattern; write '{}'", c, c};
    } else {
      std::string text(1, c);
      if (c == '\'') {
        text = TRY(quoted(pattern, i, language));
      } else {
        ++i;
      }
      if (!out.parts_.empty() && out.parts_.back().field == Field::literal) {
        out.parts_.back().literal += text;
      } else {
        out.parts_.push_back(literal_of(std::move(text)));
      }
    }
  }
  // Java lets the pattern end inside optional parts.
  for (; !open.empty(); open.pop_back()) {
    out.parts_[open.back()].jump = static_cast<std::uint16_t>(out.parts_.size());
    Part part = literal_of("");
    part.field = Field::optional_end;
    out.parts_.push_back(std::move(part));
  }
  reserve_digits(out.parts_, language);
  constexpr std::size_t kNameBytesMax = 64;
  for (const auto& part : out.parts_)
    out.bytes_max_ +=
        part.field == Field::literal ? part.literal.size() : std::max<std::size_t>(kNameBytesMax, part.printed);
  return out;
}

bool DatePattern::has_year() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return is_year(part.field) || part.field == Field::short_year || part.field == Field::short_weekyear;
  });
}

bool DatePattern::has_zone() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return part.field == Field::offset || part.field == Field::zone_id || part.field == Field::zone_text;
  });
}

}  // namespace enclave::pipeline::logstash
