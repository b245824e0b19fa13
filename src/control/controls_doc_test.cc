#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "control/control.h"

namespace enclave::control {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

std::string standards_of(const Control& control) {
  std::string text;
  std::string_view last;
  for (const auto& standard : control.standards) {
    text += standard.name == last ? ", " : fmt::format("{}{} ", text.empty() ? "" : "; ", standard.name);
    text += standard.id;
    last = standard.name;
  }
  return text;
}

std::vector<const Control*> by_id() {
  const auto all = all_controls();
  std::vector<const Control*> sorted(all.begin(), all.end());
  std::sort(sorted.begin(), sorted.end(), [](const Control* a, const Control* b) { return a->id < b->id; });
  return sorted;
}

// docs/CONTROLS.md, as the cards say it.
std::string manual() {
  std::string text =
      "# Controls\n\n"
      "What `enclave plan`, `apply` and `audit` look at. One file of src/control/ each; this page is held to their "
      "cards by a test.\n\n"
      "Some of what is missing only you can mend: a second identity, a setting of the server, a policy that is not "
      "ours. `plan` and `apply` name it at the end as left for you (`needs_user` with `--json`), and their exit status "
      "does not count it: 2 of `plan` says that `apply` would change something. `audit` fails until it is mended or "
      "waived.\n";
  for (const Control* control : by_id()) {
    text += fmt::format("\n## {}\n\n{}\n\n{}\n\n- severity: {}\n- standards: {}\n", control->id, control->title,
                        control->why, name_of(control->severity), standards_of(*control));
    std::string after;
    for (const auto id : control->after) after += (after.empty() ? "" : ", ") + std::string(id);
    if (!after.empty()) text += fmt::format("- comes after: {}\n", after);
  }
  return text;
}

TEST(Controls, AreDescribedInTheManualAsTheirCardsSay) {
  const std::string path = ENCLAVE_SOURCE_DIR "/docs/CONTROLS.md";
  std::ifstream file(path);
  const std::string found((std::istreambuf_iterator<char>(file)), {});
  const std::string wanted = manual();
  if (found == wanted) return;
  const std::string made = ENCLAVE_BINARY_DIR "/CONTROLS.md";
  std::ofstream(made) << wanted;
  FAIL() << path << " is not what the cards say; what they say is in " << made;
}

TEST(Controls, HaveWholeCards) {
  std::set<std::string_view> ids;
  for (const Control* control : all_controls()) {
    SCOPED_TRACE(control->id);
    EXPECT_TRUE(ids.insert(control->id).second) << "the id is there twice";
    EXPECT_TRUE(control->title.ends_with('.'));
    EXPECT_TRUE(control->why.ends_with('.'));
    EXPECT_THAT(control->standards, Not(IsEmpty()));
    EXPECT_TRUE(control->subjects != nullptr && control->observe != nullptr && control->judge != nullptr &&
                control->plan != nullptr && control->enforce != nullptr && control->undo != nullptr);
  }
  EXPECT_THAT(in_order(all_controls()).size(), all_controls().size());
}

}  // namespace
}  // namespace enclave::control
