#include "pipeline/tls_options.h"

#include <gmock/gmock.h>

#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

using Side = TlsOptions::Side;
using Verify = TlsOptions::Verify;
using io::ClientCertificate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Outcome {
  TlsOptions tls;
  bool failed = false;
  std::string said;
};

Outcome read(const std::string& options, Side side, const TlsDefaults& defaults = {}) {
  Written written("x { " + options + " }");
  logstash::PluginOptions reader(written.configuration, *written.found, written.diagnostics);
  Outcome outcome;
  outcome.tls = read_tls_options(reader, side, defaults);
  reader.finish();
  outcome.failed = reader.failed();
  outcome.said = written.diagnostics.text();
  return outcome;
}

TEST(TlsOptions, BothVocabulariesMeanTheSame) {
  for (const auto* text :
       {R"(ssl_enabled => true ssl_certificate => "c" ssl_key => "k" ssl_certificate_authorities => ["a", "b"]
           ssl_client_authentication => "required")",
        R"(ssl => true ssl_certificate => "c" ssl_key => "k" ssl_certificate_authorities => ["a", "b"]
           ssl_verify_mode => "force_peer")",
        R"(ssl_enable => true ssl_cert => "c" ssl_key => "k" ssl_cacert => ["a", "b"] ssl_verify => true)"}) {
    const Outcome outcome = read(text, Side::server);
    EXPECT_FALSE(outcome.failed) << outcome.said;
    EXPECT_EQ(outcome.said, "");
    EXPECT_TRUE(outcome.tls.enabled);
    EXPECT_EQ(outcome.tls.certificate_file, "c");
    EXPECT_EQ(outcome.tls.key_file, "k");
    EXPECT_THAT(outcome.tls.ca_files, ElementsAre("a", "b"));
    EXPECT_EQ(outcome.tls.client, ClientCertificate::required);
  }
}

TEST(TlsOptions, AClientVerifiesUnlessItIsToldNotToAndThenItIsSaid) {
  EXPECT_EQ(read("ssl_enabled => true", Side::client).tls.verify, Verify::full);
  for (const auto* text :
       {"ssl => true ssl_certificate_verification => false", "ssl_enabled => true ssl_verification_mode => none",
        "ssl_enable => true ssl_verify => false"}) {
    const Outcome outcome = read(text, Side::client);
    EXPECT_FALSE(outcome.failed) << outcome.said;
    EXPECT_EQ(outcome.tls.verify, Verify::none);
    EXPECT_THAT(outcome.said, HasSubstr("is not verified"));
  }
  EXPECT_EQ(read("ssl_enabled => true ssl_verification_mode => certificate", Side::client).tls.verify,
            Verify::certificate);
}

TEST(TlsOptions, WhatWouldNotWorkIsAMistakeThatNamesTheMend) {
  const auto said = [](const std::string& text, Side side) {
    const Outcome outcome = read(text, side);
    return outcome.failed ? outcome.said : "accepted";
  };
  EXPECT_THAT(said("ssl_enabled => true", Side::server), HasSubstr("needs ssl_certificate and ssl_key"));
  EXPECT_THAT(said("ssl_enabled => true ssl_certificate => 'c'", Side::client), HasSubstr("needs its ssl_key"));
  EXPECT_THAT(said("ssl => true keystore => 'x.p12'", Side::client), HasSubstr("openssl pkcs12 -in STORE"));
  EXPECT_THAT(said("ssl => true ssl_key_passphrase => 'x'", Side::client), HasSubstr("openssl pkey"));
  EXPECT_THAT(said("ssl => true ssl_enabled => true", Side::client), HasSubstr("say the same; keep ssl_enabled"));
  EXPECT_THAT(said("ssl => true ssl_verification_mode => sometimes", Side::client), HasSubstr("is not one of full"));
  EXPECT_THAT(said("ssl => true ssl_cert => 'c' ssl_key => 'k' ssl_client_authentication => optional", Side::server),
              HasSubstr("nothing says who may sign them"));
}

TEST(TlsOptions, OptionsWithoutTlsAreWarnedOfAndOthersSwitchItOnWhereAUrlSaysWhich) {
  const Outcome off = read("cacert => '/ca.pem'", Side::client);
  EXPECT_FALSE(off.failed);
  EXPECT_FALSE(off.tls.enabled);
  EXPECT_THAT(off.said, HasSubstr("add ssl_enabled => true"));
  EXPECT_TRUE(read("cacert => '/ca.pem'", Side::client, {.enabled = std::nullopt}).tls.enabled);
  EXPECT_FALSE(read("", Side::client, {.enabled = std::nullopt}).tls.enabled);
}

}  // namespace
}  // namespace enclave::pipeline
