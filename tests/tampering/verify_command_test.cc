#include <gmock/gmock.h>

#include "process.h"
#include "sealed_log.h"

namespace enclave::tampering {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class VerifyCommand : public testing::Test {
 protected:
  VerifyCommand() : copy(sealed_log().host->bucket()) {}
  Ran verify(const std::string& arguments, const fs::path& directory) {
    return run(fmt::format("XDG_STATE_HOME={} {}/enclave-verify {} {}", scratch.path().string(), ENCLAVE_BINARY_DIR,
                           directory.string(), arguments));
  }
  Ran verify(const std::string& arguments) { return verify(arguments, copy.path()); }
  std::string key = "--key " + sealed_log().host->log().trust_anchor();
  Scratch scratch;
  Copy copy;
};

TEST_F(VerifyCommand, AGoodLogExitsWith0) {
  const Ran ran = verify(key);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, testing::StartsWith("GOOD"));
  EXPECT_THAT(ran.output, HasSubstr("Log ec528/vm-1/g1"));
}

TEST_F(VerifyCommand, AChangedLogExitsWith3AndSaysWhatAndWhere) {
  Copy::flip(copy.file(object_name(sealed_log().objects[3])), 250);
  const Ran ran = verify(key);
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.output, testing::StartsWith("VIOLATED"));
  EXPECT_THAT(ran.output, HasSubstr("records 54 to 153"));
  EXPECT_THAT(ran.output, HasSubstr("/var/log/auth.log"));
  const Ran json = verify(key + " --json");
  EXPECT_EQ(json.status, 3);
  EXPECT_THAT(json.output, HasSubstr(R"("verdict":"MODIFIED","weight":"violated","origin":"ec528/vm-1/g1")"));
  EXPECT_THAT(json.output,
              HasSubstr(fmt::format(R"("index":{},"seq_first":54,"seq_last":153)", sealed_log().objects[3])));
}

TEST_F(VerifyCommand, WithoutAKeyItExitsWith4) { EXPECT_EQ(verify("").status, 4); }

TEST_F(VerifyCommand, TheKeyMayStandInAFile) {
  const auto file = scratch.path() / "anchor";
  Copy::write(file, "# the first key\n" + sealed_log().host->log().trust_anchor() + "\n");
  EXPECT_EQ(verify("--key " + file.string()).status, 0);
  EXPECT_EQ(verify("--key @" + file.string()).status, 0);
}

TEST_F(VerifyCommand, ItRemembersTheNewestCheckpointAndRefusesToGoBackBehindIt) {
  ASSERT_EQ(verify(key).status, 0);
  const Copy old(sealed_log().snapshots.front());
  const Ran back = verify(key, old.path());
  EXPECT_EQ(back.status, 3);
  EXPECT_THAT(back.output, HasSubstr("TRUNCATED"));
  EXPECT_EQ(verify(key + " --no-seen", old.path()).status, 0);
  EXPECT_EQ(verify(key + " --seen " + (scratch.path() / "other").string(), old.path()).status, 0);
  EXPECT_EQ(verify(key).status, 0);
}

TEST_F(VerifyCommand, AViolatedLogIsNotRemembered) {
  Copy::flip(copy.file(object_name(sealed_log().objects[3])), 250);
  ASSERT_EQ(verify(key).status, 3);
  EXPECT_FALSE(fs::exists(scratch.path() / "enclave"));
}

TEST_F(VerifyCommand, MistakesInUsageExitWith64AndAMissingDirectoryWith1) {
  EXPECT_EQ(verify("--kye x").status, 64);
  EXPECT_EQ(verify("--key nonsense").status, 64);
  EXPECT_EQ(run(std::string(ENCLAVE_BINARY_DIR) + "/enclave-verify").status, 64);
  EXPECT_EQ(verify(key, copy.path() / "nowhere").status, 1);
  EXPECT_EQ(verify(key + " --identity /nowhere").status, 1);
}

TEST_F(VerifyCommand, TheExplanationIsAScriptThatChecksTheSame) {
  const Ran ran = verify(key + " --explain");
  EXPECT_EQ(ran.status, 0);
  const auto script = scratch.path() / "check.sh";
  Copy::write(script, ran.output);
  const Ran checked = run("sh " + script.string());
  EXPECT_EQ(checked.status, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("GOOD"));
}

TEST_F(VerifyCommand, NothingThatSpeaksToANetworkIsLinked) {
  const std::string binary = std::string(ENCLAVE_BINARY_DIR) + "/enclave-verify";
  const Ran libraries = run("readelf -d " + binary + " | grep NEEDED");
  ASSERT_EQ(libraries.status, 0);
  EXPECT_THAT(libraries.output, HasSubstr("libcrypto"));
  EXPECT_THAT(libraries.output, Not(HasSubstr("libcurl")));
  EXPECT_THAT(libraries.output, Not(HasSubstr("libssl")));
  EXPECT_THAT(libraries.output, Not(HasSubstr("libsystemd")));
  const Ran symbols = run("nm -D --undefined-only " + binary);
  ASSERT_EQ(symbols.status, 0);
  for (const char* name : {" socket", " connect", " bind", " listen", " accept", " getaddrinfo", " sendto",
                           " gethostbyname", " SSL_", " BIO_new_connect", " BIO_s_connect", " curl_"})
    EXPECT_THAT(symbols.output, Not(HasSubstr(name))) << name;
}

}  // namespace
}  // namespace enclave::tampering
