#include "pipeline/logstash/iso8601.h"

namespace enclave::pipeline::logstash {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;
constexpr std::int64_t kYearLeast = 1678, kYearMost = 2261;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<std::int64_t> read(const Timezone& zone) {
    const auto days = date();
    if (!days) return std::nullopt;
    std::int64_t nanos = 0;
    std::optional<std::int64_t> offset;
    if (take('T') || take(' ')) {
      const bool space = text_[at_ - 1] == ' ';
      if (at_ < text_.size() && is_digit(text_[at_]) && !time(nanos)) return std::nullopt;
      if (space && !whole_) return std::nullopt;
      if (at_ < text_.size() && !zone_offset(offset)) return std::nullopt;
    }
    if (at_ != text_.size()) return std::nullopt;
    const std::int64_t local = *days * kDay + nanos / kSecond;
    if (offset) return (local - *offset) * kSecond + nanos % kSecond;
    const auto moment = zone.to_utc(local, Timezone::Gap::refuse);
    if (!moment) return std::nullopt;
    return *moment * kSecond + nanos % kSecond;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::size_t digits_ahead() const {
    std::size_t count = 0;
    while (at_ + count < text_.size() && is_digit(text_[at_ + count])) ++count;
    return count;
  }
  /// Exactly `digits`, at most `most`; -1 otherwise.
  std::int64_t number(std::size_t digits, std::int64_t most) {
    std::int64_t out = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (at_ == text_.size() || !is_digit(text_[at_])) return -1;
      out = out * 10 + (text_[at_++] - '0');
    }
    return out > most ? -1 : out;
  }

  std::optional<std::int64_t> date() {
    const std::int64_t year = digits_ahead() == 4 ? number(4, kYearMost) : -1;
    if (year < kYearLeast) return std::nullopt;
    if (!take('-')) return days_from_civil(year, 1, 1);
    if (take('W')) return week_date(year);
    if (digits_ahead() == 3) {
      const bool leap = days_in_month(year, 2) == 29;
      const std::int64_t day = number(3, leap ? 366 : 365);
      if (day < 1) return std::nullopt;
      return days_from_civil(year, 1, 1) + day - 1;
    }
    const std::int64_t month = number(2, 12);
    if (month < 1) return std::nullopt;
    if (!take('-')) return days_from_civil(year, static_cast<unsigned>(month), 1);
    const std::int64_t day = number(2, days_in_month(year, static_cast<unsigned>(month)));
    if (day < 1) return std::nullopt;
    return days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  }

  std::optional<std::int64_t> week_date(std::int64_t year) {
    const std::int64_t week = number(2, 53);
    const std::int64_t day = take('-') ? number(1, 7) : 1;
    if (week < 1 || day < 1) return std::nullopt;
    // The 4th of January is always in week 1; day 0 of the epoch was a Thursday.
    const std::int64_t fourth = days_from_civil(year, 1, 4);
    const std::int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7;
    return monday + (week - 1) * 7 + day - 1;
  }

  bool time(std::int64_t& nanos) {
    std::int64_t unit = 3600 * kSecond;
    const std::int64_t most[] = {23, 59, 59};
    int parts = 0;
    while (parts < 3 && (parts == 0 || take(':'))) {
      const std::int64_t value = number(2, most[parts++]);
      if (value < 0) return false;
      nanos += value * unit;
      if (parts < 3) unit /= 60;
    }
    if (parts < 3) unit *= 60;
    if (!take('.') && !take(',')) return true;
    if (digits_ahead() == 0) return false;
    for (; digits_ahead() > 0; ++at_) nanos += (text_[at_] - '0') * (unit /= 10);
    whole_ = parts == 3;
    return true;
  }

  bool zone_offset(std::optional<std::int64_t>& offset) {
    if (take('Z')) {
      offset = 0;
      return true;
    }
    const bool west = take('-');
    if (!west && !take('+')) return false;
    const std::int64_t hours = number(2, 23);
    std::int64_t minutes = 0;
    if (take(':') || digits_ahead() > 0) minutes = number(2, 59);
    if (hours < 0 || minutes < 0) return false;
    offset = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool whole_ = false;  ///< seconds with a fraction
};

}  // namespace

std::optional<std::int64_t> parse_iso8601(std::string_view text, const Timezone& zone) {
  return Reader(text).read(zone);
}

}  // namespace enclave::pipeline::logstash
