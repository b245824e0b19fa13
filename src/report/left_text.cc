#include "report/left_text.h"

#include "report/layout.h"

namespace enclave::report {

std::string left_text(const std::vector<const control::Item*>& items) {
  constexpr std::size_t kNamed = 4;
  if (items.empty()) return "";
  std::string names;
  for (std::size_t i = 0; i < items.size() && i < kNamed; ++i)
    names += fmt::format("{}{} on {}", i == 0 ? "" : ", ", items[i]->control->id, items[i]->subject.name);
  if (items.size() > kNamed) names += fmt::format(" and {} more", grouped(items.size() - kNamed));
  return wrapped(printable(fmt::format("{} {} left for you: {}.", counted(items.size(), "thing"),
                                       items.size() == 1 ? "is" : "are", names)),
                 "", "");
}

}  // namespace enclave::report
