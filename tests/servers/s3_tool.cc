// A hand on a bucket for the scripts of this folder:
//   s3_tool make BUCKET | put BUCKET KEY <BYTES | get BUCKET KEY >BYTES | list BUCKET | remove BUCKET KEY [VERSION]
// The server and the keys are those of the environment that ceph.sh run makes.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <vector>

#include "cloud/s3_store.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<void> act(const std::vector<std::string>& words) {
  S3Options options;
  options.endpoint = variable("S3_ENDPOINT");
  options.region = variable("S3_REGION");
  options.ca_file = variable("S3_CA");
  options.bucket = words.at(1);
  S3Credentials credentials{variable("AWS_ACCESS_KEY_ID"), crypto::Secret(variable("AWS_SECRET_ACCESS_KEY")), {}};
  const World world = io::real_world();
  if (words[0] == "make") return create_bucket(world, options, credentials, true);
  const auto store = TRY(open_s3_store(world, options, std::move(credentials)));
  if (words[0] == "list") {
    return store->list({.prefix = "", .versions = true}, [](const ObjectInfo& found) -> Result<void> {
      const char* state = found.delete_marker ? "deleted" : found.latest ? "latest" : "old";
      std::cout << found.key << ' ' << found.version << ' ' << state << '\n';
      return {};
    });
  }
  const std::string& key = words.at(2);
  if (words[0] == "put") {
    const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
    TRY(store->put(key, bytes));
  } else if (words[0] == "get") {
    std::cout << TRY(store->get(key, "", 1 << 30));
  } else if (words[0] == "remove") {
    return store->remove(key, words.size() > 3 ? words[3] : "");
  } else {
    return Error{Fault::invalid, "{}: make, put, get, list or remove", words[0]};
  }
  return {};
}

}  // namespace
}  // namespace enclave::cloud

int main(int count, char** words) {
  if (count < 3) return 64;
  const auto done = enclave::cloud::act({words + 1, words + count});
  if (!done) std::cerr << "s3_tool: " << done.error().text() << '\n';
  return done ? 0 : 1;
}
