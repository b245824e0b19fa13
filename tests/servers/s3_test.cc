// The contract of object_store_contract.h, and what only S3 has, against a real server: see ceph.sh.
#include "cloud/s3_store.h"
#include "contract/object_store_contract.h"
#include "io/system.h"
#include "servers/s3_server.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<ObjectStore> must_open(S3Options options, World world = io::real_world()) {
  auto store = open_s3_store(world, std::move(options), credentials());
  EXPECT_TRUE(store) << store.error().text();
  return std::move(store.value());
}

void must_create(const S3Options& options, bool versioned) {
  const auto made = create_bucket(io::real_world(), options, credentials(), versioned);
  ASSERT_TRUE(made) << made.error().text();
}

class S3Bench final : public Bench {
 public:
  explicit S3Bench(S3Options options) : options_(std::move(options)) {
    must_create(options_, true);
    store_ = must_open(options_);
  }
  ObjectStore& store() override { return *store_; }
  std::unique_ptr<ObjectStore> absent_bucket() override {
    S3Options options = options_;
    options.bucket = new_bucket_name();
    return must_open(options);
  }

 private:
  S3Options options_;
  std::unique_ptr<ObjectStore> store_;
};

std::unique_ptr<Bench> bench_with_conditions() { return std::make_unique<S3Bench>(options_for(new_bucket_name())); }
std::unique_ptr<Bench> bench_with_versions() {
  S3Options options = options_for(new_bucket_name());
  options.put_if_absent = S3Options::PutIfAbsent::versions;
  return std::make_unique<S3Bench>(std::move(options));
}
std::unique_ptr<Bench> bench_with_virtual_hosts() {
  S3Options options = options_for(new_bucket_name());
  options.addressing = S3Options::Addressing::virtual_host;
  options.list_page = 1000;
  return std::make_unique<S3Bench>(std::move(options));
}

INSTANTIATE_TEST_SUITE_P(Conditions, ObjectStoreContract, ::testing::Values(&bench_with_conditions));
INSTANTIATE_TEST_SUITE_P(Versions, ObjectStoreContract, ::testing::Values(&bench_with_versions));
INSTANTIATE_TEST_SUITE_P(VirtualHosts, ObjectStoreContract, ::testing::Values(&bench_with_virtual_hosts));

class S3Test : public ::testing::Test {
 protected:
  void SetUp() override {
    options_ = options_for(new_bucket_name());
    must_create(options_, true);
  }
  S3Options options_;
};

TEST_F(S3Test, AServerOfAnotherAuthorityIsRefused) {
  S3Options options = options_;
  options.ca_file = variable("S3_OTHER_CA");
  const auto put = must_open(options)->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::denied);
  EXPECT_THAT(put.error().text(), HasSubstr("ca_file"));
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(must_open(options)->put("k", "x").error().fault(), Fault::denied);
}

TEST_F(S3Test, ANameThatIsNotInTheCertificateIsRefused) {
  S3Options options = options_;
  options.endpoint = "https://other.localhost" + options.endpoint.substr(options.endpoint.rfind(':'));
  const auto put = must_open(options)->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::denied) << put.error().text();
}

TEST_F(S3Test, PlainHttpNeedsLeave) {
  S3Options options = options_;
  options.endpoint = variable("S3_PLAIN_ENDPOINT");
  EXPECT_EQ(open_s3_store(io::real_world(), options, credentials()).error().fault(), Fault::invalid);
  options.insecure = true;
  ASSERT_TRUE(must_open(options)->put("k", "over http"));
  EXPECT_EQ(must_open(options_)->get("k", "", 100).value(), "over http");
}

TEST_F(S3Test, AWrongSecretIsDeniedWithTheServersWords) {
  S3Credentials wrong{variable("AWS_ACCESS_KEY_ID"), crypto::Secret("wrong"), {}};
  auto store = open_s3_store(io::real_world(), options_, std::move(wrong)).value();
  const auto put = store->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::denied);
  EXPECT_THAT(put.error().text(), HasSubstr("403 SignatureDoesNotMatch"));
  EXPECT_THAT(put.error().text(), HasSubstr("request tx"));
  EXPECT_THAT(put.error().text(), HasSubstr("check the access key and the secret key"));
  EXPECT_EQ(store->head("k", "").error().fault(), Fault::denied);
}

TEST_F(S3Test, TheBucketOfAnotherIsDenied) {
  auto store = open_s3_store(io::real_world(), options_, others_credentials()).value();
  ASSERT_TRUE(must_open(options_)->put("k", "x"));
  EXPECT_EQ(store->get("k", "", 100).error().fault(), Fault::denied);
  EXPECT_EQ(store->put("k", "y").error().fault(), Fault::denied);
  EXPECT_EQ(store->put_if_absent("l", "y").error().fault(), Fault::denied);
  EXPECT_EQ(store->remove("k", "").error().fault(), Fault::denied);
  EXPECT_EQ(create_bucket(io::real_world(), options_, others_credentials(), false).error().fault(), Fault::conflict);
  EXPECT_TRUE(create_bucket(io::real_world(), options_, credentials(), false)) << "one's own is there already";
}

TEST_F(S3Test, AnAbsentBucketIsNamedAndNotMade) {
  S3Options options = options_;
  options.bucket = new_bucket_name();
  const auto put = must_open(options)->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::absent);
  EXPECT_THAT(put.error().text(), HasSubstr("NoSuchBucket"));
  EXPECT_THAT(put.error().text(), HasSubstr(options.bucket));
  EXPECT_EQ(must_open(options)->put_if_absent("k", "x").error().fault(), Fault::absent);
  EXPECT_EQ(must_open(options)->remove("k", "").error().fault(), Fault::absent);
}

TEST_F(S3Test, WithoutVersioningThereAreNoVersions) {
  S3Options options = options_;
  options.bucket = new_bucket_name();
  must_create(options, false);
  const auto store = must_open(options);
  EXPECT_EQ(store->put("k", "1").value(), "");
  EXPECT_EQ(store->put("k", "2").value(), "");
  EXPECT_EQ(store->put_if_absent("l", "1").value(), "");
  EXPECT_EQ(store->put_if_absent("l", "2").error().fault(), Fault::conflict);
  std::vector<std::string> seen;
  ASSERT_TRUE(store->list({.prefix = "", .versions = true}, [&](const ObjectInfo& found) -> Result<void> {
    seen.push_back(found.key + "@" + found.version);
    return {};
  }));
  EXPECT_THAT(seen, ::testing::ElementsAre("k@", "l@"));
  options.put_if_absent = S3Options::PutIfAbsent::versions;
  EXPECT_EQ(must_open(options)->put_if_absent("m", "1").error().fault(), Fault::unsupported);
}

class WrongClock final : public Clock {
 public:
  explicit WrongClock(std::int64_t off_ns) : off_ns_(off_ns) {}
  std::int64_t wall_ns() override { return io::real_clock().wall_ns() + off_ns_; }
  std::int64_t boot_ns() override { return io::real_clock().boot_ns(); }

 private:
  std::int64_t off_ns_;
};

TEST_F(S3Test, AWrongClockIsCorrectedByTheServers) {
  for (const std::int64_t hours : {-24 * 400, -2, 2, 24}) {
    WrongClock clock(hours * 3600 * 1'000'000'000);
    const auto store = must_open(options_, World{clock, io::real_files(), io::real_random()});
    EXPECT_EQ(store->head("absent", "").error().fault(), Fault::absent) << hours << " hours";
    const auto put = store->put("k", "x");
    EXPECT_TRUE(put) << put.error().text();
  }
}

TEST_F(S3Test, TwoStoresThatRaceByVersionsHaveOneWinner) {
  S3Options options = options_;
  options.put_if_absent = S3Options::PutIfAbsent::versions;
  for (int round = 0; round < 10; ++round) {
    const std::string key = "race" + std::to_string(round);
    std::array<Result<std::string>, 2> results = {Error{Fault::invalid, "-"}, Error{Fault::invalid, "-"}};
    std::array<std::thread, 2> writers;
    for (std::size_t me = 0; me < 2; ++me)
      writers[me] = std::thread([&, me] { results[me] = must_open(options)->put_if_absent(key, std::to_string(me)); });
    for (auto& writer : writers) writer.join();
    ASSERT_NE(results[0].has_value(), results[1].has_value()) << key;
    EXPECT_EQ(must_open(options_)->get(key, "", 10).value(), results[0] ? "0" : "1");
  }
}

}  // namespace
}  // namespace enclave::cloud
