#include "cloud/capability_probe.h"
#include "cloud/s3_documents.h"
#include "cloud/s3_results.h"
#include "cloud/xml_reader.h"

/// Versioning, conditional put, multipart upload.
namespace enclave::cloud::probing {
namespace {

Support try_versioning(Canary& canary, std::string& first, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  const std::string enabled = format_versioning(true);
  const auto set = trace.ask(owner, put_setting("versioning", enabled));
  if (!set.good()) return support_of(set);
  const auto one = trace.ask(owner, plain_request("PUT", kObject, "one"));
  const auto two = trace.ask(owner, plain_request("PUT", kObject, "two"));
  first = one.response.header("x-amz-version-id");
  if (!one.good() || !two.good()) return Support::unknown;
  if (first.empty()) {
    trace.say("the server gave no version id");
    return Support::accepted_not_enforced;
  }
  const auto read = trace.ask(owner, {"GET", std::string(kObject), {{"versionId", first}}}, "the first version");
  return read.good() && read.response.body == "one" ? Support::works : Support::accepted_not_enforced;
}

Support try_delete_markers(Canary& canary, const std::string& first, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  if (first.empty()) return Support::absent;
  if (!trace.ask(owner, plain_request("DELETE", kObject)).good()) return Support::unknown;
  const auto gone = trace.ask(owner, plain_request("GET", kObject), "after the delete");
  const auto kept = trace.ask(owner, {"GET", std::string(kObject), {{"versionId", first}}}, "the first version");
  const bool works = gone.response.status == 404 && kept.good() && kept.response.body == "one";
  return works ? Support::works : Support::accepted_not_enforced;
}

Support try_put_if_absent(Canary& canary, std::string_view key, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  if (!trace.ask(owner, plain_request("PUT", key, "first")).good()) return Support::unknown;
  S3Request again = plain_request("PUT", key, "second");
  again.headers = {{"if-none-match", "*"}};
  const auto answer = trace.ask(owner, again, "If-None-Match: *, on an existing key");
  if (answer.response.status != 412 && !answer.good()) return support_of(answer);
  const auto read = trace.ask(owner, plain_request("GET", key));
  const bool kept = read.good() && read.response.body == "first";
  return answer.response.status == 412 && kept ? Support::works : Support::accepted_not_enforced;
}

Support try_multipart(Canary& canary, Trace& trace) {
  S3Bucket& owner = *canary.owner;
  const std::string key = std::string(kObject) + "-parts";
  const auto begun = trace.ask(owner, sub_request("POST", "uploads", key));
  const auto upload = begun.good() ? parse_begun(begun.response.body) : Result<std::string>("");
  if (!upload || upload->empty()) return support_of(begun);
  const auto part = trace.ask(owner, {"PUT", key, {{"partNumber", "1"}, {"uploadId", *upload}}, {}, "part"});
  const std::string list = format_complete({{1, unquoted(part.response.header("etag")), 0}});
  const auto done = trace.ask(owner, {"POST", key, {{"uploadId", *upload}}, {}, list});
  if (!done.good()) (void)trace.ask(owner, {"DELETE", key, {{"uploadId", *upload}}});
  const auto read = trace.ask(owner, plain_request("GET", key));
  return read.good() && read.response.body == "part" ? Support::works : Support::accepted_not_enforced;
}

}  // namespace

void probe_versions(Prober& prober, Canary& canary) {
  prober.probe("put_if_absent", "put only when absent (If-None-Match: *), without versioning",
               [&](Trace& trace) { return try_put_if_absent(canary, "enclave-canary-once", trace); });
  std::string first;
  prober.probe("versioning", "versioning: the first of two versions can be read",
               [&](Trace& trace) { return try_versioning(canary, first, trace); });
  prober.probe("delete_markers", "versioning: a deleted object keeps its versions",
               [&](Trace& trace) { return try_delete_markers(canary, first, trace); });
  // A server may look for the version that it is about to make, and find none.
  prober.probe("put_if_absent.versioned", "put only when absent (If-None-Match: *), with versioning",
               [&](Trace& trace) { return try_put_if_absent(canary, "enclave-canary-once-more", trace); });
  prober.probe("multipart", "multipart upload", [&](Trace& trace) { return try_multipart(canary, trace); });
}

}  // namespace enclave::cloud::probing
