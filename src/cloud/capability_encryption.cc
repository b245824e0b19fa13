#include "base/encoding.h"
#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"
#include "crypto/md5.h"

/// Encryption by the server.
namespace enclave::cloud::probing {
namespace {

constexpr std::string_view kKey = "enclave-canary-encrypted";
constexpr std::string_view kHeader = "x-amz-server-side-encryption";

// Some servers accept the header and store plain text: only an answer that names the encryption says anything.
Support shown_encrypted(Canary& canary, Trace& trace) {
  const auto head = trace.ask(*canary.owner, plain_request("HEAD", kKey));
  const std::string_view told = head.response.header(kHeader);
  trace.say(told.empty() ? "HEAD names no encryption" : fmt::format("HEAD: {}: {}", kHeader, told));
  return told.empty() ? Support::accepted_not_enforced : Support::works;
}

Support try_sse_s3(Canary& canary, Trace& trace) {
  S3Request request = plain_request("PUT", kKey, "canary");
  request.headers = {{std::string(kHeader), "AES256"}};
  const auto put = trace.ask(*canary.owner, request, "x-amz-server-side-encryption: AES256");
  return put.good() ? shown_encrypted(canary, trace) : support_of(put);
}

Support try_sse_c(Prober& prober, Canary& canary, Trace& trace) {
  std::array<std::uint8_t, 32> bytes{};
  prober.world().random.fill(bytes);
  const auto digest = crypto::md5(bytes_of(bytes));
  if (!digest) return Support::unknown;
  const Pairs key = {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
                     {"x-amz-server-side-encryption-customer-key", to_base64(bytes_of(bytes))},
                     {"x-amz-server-side-encryption-customer-key-md5", to_base64(*digest)}};
  const std::string name = std::string(kKey) + "-c";
  S3Request put = plain_request("PUT", name, "canary");
  put.headers = key;
  const auto stored = trace.ask(*canary.owner, put, "with a key of the client's");
  if (!stored.good()) return support_of(stored);
  const auto without = trace.ask(*canary.owner, plain_request("GET", name), "without the key");
  S3Request get = plain_request("GET", name);
  get.headers = key;
  const auto with = trace.ask(*canary.owner, get, "with the key");
  if (without.good()) return Support::accepted_not_enforced;
  return with.good() && with.response.body == "canary" ? Support::works : Support::unknown;
}

Support try_bucket_encryption(Canary& canary, Trace& trace) {
  const std::string document = format_encryption({"AES256", ""});
  const auto set = trace.ask(*canary.owner, put_setting("encryption", document));
  if (!set.good()) return support_of(set);
  const auto shown = trace.ask(*canary.owner, sub_request("GET", "encryption"));
  if (!holds(shown, "ServerSideEncryptionConfiguration")) return Support::accepted_not_enforced;
  if (!trace.ask(*canary.owner, plain_request("PUT", kKey, "canary")).good()) return Support::unknown;
  return shown_encrypted(canary, trace);
}

}  // namespace

void probe_encryption(Prober& prober, Canary& canary) {
  prober.probe("sse_s3", "encryption by the server, its key (SSE-S3)",
               [&](Trace& trace) { return try_sse_s3(canary, trace); });
  prober.probe("sse_c", "encryption by the server, the client's key (SSE-C)",
               [&](Trace& trace) { return try_sse_c(prober, canary, trace); });
  prober.probe("bucket_encryption", "encryption of a bucket by default",
               [&](Trace& trace) { return try_bucket_encryption(canary, trace); });
}

}  // namespace enclave::cloud::probing
