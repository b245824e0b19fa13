#include <gmock/gmock.h>

#include "process.h"
#include "report/verify_report.h"
#include "sealed_log.h"

namespace enclave::tampering {
namespace {

using testing::HasSubstr;

/// The commands are run for real, by sh, with the tools of the distribution.
class Explain : public testing::Test {
 protected:
  // A small log, because each leaf takes sh some processes; the whole one stands in the first test.
  explicit Explain(const std::filesystem::path& bucket = sealed_log().snapshots.front()) : copy(bucket) {
    const auto identity = scratch.path() / "identity";
    Copy::write(identity, std::string(sealed_log().host->identity().text().reveal()) + "\n");
    explain.directory = copy.path().string();
    explain.vkey = sealed_log().host->log().trust_anchor();
    explain.identity = identity.string();
  }
  Ran check() {
    const auto script = scratch.path() / "check.sh";
    Copy::write(script, report::explain_commands(kOrigin, explain));
    return run("sh " + script.string());
  }
  Scratch scratch;
  Copy copy;
  report::Explain explain;
};

class ExplainWhole : public Explain {
 protected:
  ExplainWhole() : Explain(sealed_log().host->bucket()) {}
};

TEST_F(ExplainWhole, ThePublicToolsFindAnUntouchedLogGood) {
  const Ran ran = check();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all leaves are under the root"));
  EXPECT_THAT(ran.output, HasSubstr("the checkpoint is signed by the key in force"));
  EXPECT_THAT(ran.output, HasSubstr(fmt::format("{} objects are what was sealed", sealed_log().objects.size())));
  EXPECT_THAT(ran.output, HasSubstr("all records could be read"));
  EXPECT_THAT(ran.output, HasSubstr("GOOD"));
}

TEST_F(Explain, ThePublicToolsFindAChangedObject) {
  Copy::flip(copy.file(object_name(sealed_log().objects[1])), 200);
  const Ran ran = check();
  EXPECT_EQ(ran.status, 3) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("objects are not what was sealed"));
}

TEST_F(Explain, ThePublicToolsFindAMissingObject) {
  std::filesystem::remove(copy.file(object_name(sealed_log().objects[1])));
  EXPECT_EQ(check().status, 3);
}

TEST_F(Explain, ThePublicToolsFindAChangedLeaf) {
  Copy::flip(copy.file("tile/entries/000.p/10"), 1000);
  const Ran ran = check();
  EXPECT_EQ(ran.status, 3) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("do not have the root"));
}

TEST_F(Explain, ThePublicToolsFindAChangedSignature) {
  const std::string bytes = Copy::read(copy.file("checkpoint"));
  Copy::flip(copy.file("checkpoint"), bytes.size() - 10);
  const Ran ran = check();
  EXPECT_EQ(ran.status, 3) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("is not signed by"));
}

TEST_F(Explain, ThePublicToolsRefuseAnotherKey) {
  explain.vkey.replace(explain.vkey.size() - 4, 1, explain.vkey[explain.vkey.size() - 4] == 'A' ? "B" : "A");
  EXPECT_EQ(check().status, 3);
}

TEST_F(Explain, NamesWithQuotesStayNames) {
  explain.directory = "/nowhere/it's $(touch x)";
  const Ran ran = check();
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.output, HasSubstr("there is no checkpoint"));
}

}  // namespace
}  // namespace enclave::tampering
