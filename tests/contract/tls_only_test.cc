// What the control "TLS only" makes of plain HTTP that answers, is refused, or is silent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/scripted_server.h"
#include "control/control.h"
#include "control/storage_policy.h"
#include "control/storage_reach.h"
#include "io/system.h"

namespace enclave::control {
extern const Control control_tls_only;
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

/// Every way but plain HTTP leads to the scripted server; that one to `plain`.
class FakeStorage final : public Storage {
 public:
  FakeStorage(std::string server, std::string plain) : server_(std::move(server)), plain_(std::move(plain)) {
    capabilities_.all = {{"policy", "", cloud::Support::works, ""}};
  }
  bool is_s3() const override { return true; }
  Result<cloud::S3Bucket*> bucket(const std::string& name, As /*as*/, Way way) override {
    cloud::S3Options options;
    options.endpoint = way == Way::plain_http ? plain_ : server_;
    options.bucket = name;
    options.insecure = true;
    options.connect_within = 300ms;
    options.request_within = 300ms;
    buckets_.push_back(TRY(cloud::S3Bucket::open(io::real_world(), options, {"AK", crypto::Secret("SK"), {}})));
    return buckets_.back().get();
  }
  Result<const cloud::Capabilities*> capabilities() override { return &capabilities_; }
  Result<const cloud::Capabilities*> probe(const std::function<void(std::string_view)>& /*progress*/) override {
    return &capabilities_;
  }

 private:
  std::string server_, plain_;
  cloud::Capabilities capabilities_;
  std::vector<std::unique_ptr<cloud::S3Bucket>> buckets_;
};

std::string closed_port() {
  ScriptedServer gone([](const ScriptedServer::Request&) { return std::string(); });
  return gone.url();
}

class TlsOnlyTrials : public ::testing::Test {
 protected:
  /// The trials over plain HTTP at `plain`.
  std::vector<Trial> trials(const std::string& plain) {
    ScriptedServer server([this](const ScriptedServer::Request& request) {
      if (request.method != "GET") return ScriptedServer::answer(200, "");
      if (request.target.find("?policy") != std::string::npos && !policy_.empty())
        return ScriptedServer::answer(200, policy_);
      if (request.target.find("?versions") != std::string::npos)
        return ScriptedServer::answer(200, "<ListVersionsResult/>");
      return ScriptedServer::answer(404, "<Error><Code>NoSuchBucketPolicy</Code></Error>");
    });
    FakeStorage storage(server.url(), plain);
    Reach reach{io::real_world(), config_, storage};
    auto tried = control_tls_only.prove(reach, {"bucket", "bucket"});
    EXPECT_TRUE(tried) << tried.error().text();
    std::erase_if(*tried, [](const Trial& trial) { return trial.tried.find("plain HTTP") == std::string::npos; });
    EXPECT_EQ(tried->size(), 4U);
    return *tried;
  }
  TlsOnlyTrials() { config_.storage.endpoint = "https://127.0.0.1"; }

  pipeline::Config config_;
  std::string policy_;
};

TEST_F(TlsOnlyTrials, AGuessedPortWhereNothingListensIsSaidToBeGuessed) {
  const std::string plain = closed_port();
  for (const auto& trial : trials(plain)) {
    EXPECT_EQ(trial.state, State::pass) << trial.found;
    EXPECT_THAT(trial.found, HasSubstr("nothing answers at " + plain));
    EXPECT_THAT(trial.found, HasSubstr("the guessed address; nothing listens there"));
  }
}

TEST_F(TlsOnlyTrials, AGuessedPortThatIsSilentProvesNothingWithoutThePolicy) {
  ScriptedServer silent([](const ScriptedServer::Request&) { return std::string(); });
  for (const auto& trial : trials(silent.url())) {
    EXPECT_EQ(trial.state, State::inconclusive) << trial.found;
    EXPECT_THAT(trial.found, HasSubstr("the guessed address; name the server's in storage.plain_endpoint"));
  }
  policy_ = *with_statement("", tls_only_statement("bucket", {"BoolIfExists", "false"}));
  for (const auto& trial : trials(silent.url())) {
    EXPECT_EQ(trial.state, State::pass) << trial.found;
    EXPECT_THAT(trial.found, HasSubstr("the policy forbids plain HTTP at every port"));
  }
}

TEST_F(TlsOnlyTrials, ANamedPortIsNotCalledGuessedAndAnAnswerThereFails) {
  config_.storage.plain_endpoint = closed_port();
  for (const auto& trial : trials(config_.storage.plain_endpoint)) {
    EXPECT_EQ(trial.state, State::pass) << trial.found;
    EXPECT_THAT(trial.found, Not(HasSubstr("guessed")));
  }
  config_.storage.plain_endpoint.clear();
  ScriptedServer open([](const ScriptedServer::Request&) { return ScriptedServer::answer(200, "canary"); });
  for (const auto& trial : trials(open.url())) EXPECT_EQ(trial.state, State::fail) << trial.found;
}

}  // namespace
}  // namespace enclave::control
