#include "cloud/s3_results.h"

#include "base/encoding.h"
#include "base/time.h"
#include "cloud/s3_errors.h"
#include "cloud/sigv4.h"
#include "cloud/xml_reader.h"

namespace enclave::cloud {
namespace {

constexpr std::size_t kEntriesMax = 10'000;
constexpr std::size_t kBucketsMax = 100'000;
constexpr std::uint32_t kPartsMax = 10'000;

// A request that takes long is answered with 200 first, and how it ended stands in the body.
Result<pugi::xml_node> result_of(pugi::xml_document& document, std::string_view xml, std::string_view root) {
  auto found = root_of(document, xml, root, kResultBytesMax);
  if (found || found.error().fault() != Fault::unsupported) return found;
  const S3Error told = parse_error(xml);
  if (told.code.empty()) return found;
  const Fault fault = fault_of(500, told.code);
  return Error{fault, "200, and then {} ({}), request {}", told.code, told.message, told.request_id};
}

Error misplaced(const pugi::xml_node& node, std::string_view what) {
  return Error{Fault::corrupt, "<{}> at byte {} of the server's answer: {}", local_name(node).substr(0, 64),
               node.offset_debug(), what};
}

std::string text_in(const pugi::xml_node& node, std::string_view name, bool encoded) {
  const auto text = child_text(node, name);
  return encoded ? uri_decode(text) : std::string(text);
}

bool is_encoded(const pugi::xml_node& root) { return child_text(root, "EncodingType") == "url"; }

Result<std::string> etag_in(std::string_view xml, std::string_view root_name) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, root_name));
  return unquoted(child_text(root, "ETag"));
}

}  // namespace

Result<PartsPage> parse_parts(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, "ListPartsResult"));
  PartsPage page;
  page.truncated = child_flag(root, "IsTruncated");
  page.next = TRY(child_number(root, "NextPartNumberMarker")).value_or(0);
  for (const auto& child : root.children()) {
    if (local_name(child) != "Part") continue;
    if (page.parts.size() == kPartsMax) return misplaced(child, "more than 10,000 parts");
    UploadPart part;
    part.number = TRY(child_number(child, "PartNumber")).value_or(0);
    part.etag = unquoted(child_text(child, "ETag"));
    const auto bytes = parse_number(child_text(child, "Size"));
    if (!bytes || part.etag.empty() || part.number > kPartsMax)
      return misplaced(child, "not a part with a number up to 10,000, an ETag and a size");
    part.bytes = *bytes;
    page.parts.push_back(std::move(part));
  }
  if (page.truncated && page.next == 0) return misplaced(root, "cut short, and it does not say how to go on");
  return page;
}

Result<UploadsPage> parse_uploads(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, "ListMultipartUploadsResult"));
  const bool encoded = is_encoded(root);
  UploadsPage page;
  page.truncated = child_flag(root, "IsTruncated");
  page.next_key = text_in(root, "NextKeyMarker", encoded);
  page.next_id = child_text(root, "NextUploadIdMarker");
  for (const auto& child : root.children()) {
    if (local_name(child) != "Upload") continue;
    if (page.uploads.size() == kEntriesMax) return misplaced(child, "more than 10,000 uploads at once");
    Upload upload{text_in(child, "Key", encoded), std::string(child_text(child, "UploadId")), 0};
    if (upload.key.empty() || upload.id.empty()) return misplaced(child, "an upload without key and id");
    if (const auto begun = parse_time(child_text(child, "Initiated"))) upload.begun_ns = *begun;
    page.uploads.push_back(std::move(upload));
  }
  if (page.truncated && page.next_key.empty()) return misplaced(root, "cut short, and it does not say how to go on");
  return page;
}

Result<std::string> parse_begun(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, "InitiateMultipartUploadResult"));
  std::string id(child_text(root, "UploadId"));
  if (id.empty() || id.size() > 4096) return misplaced(root, "no UploadId of at most 4,096 bytes");
  return id;
}

Result<std::string> parse_completed(std::string_view xml) { return etag_in(xml, "CompleteMultipartUploadResult"); }

Result<std::string> parse_copied(std::string_view xml) {
  auto etag = etag_in(xml, "CopyObjectResult");
  if (!etag && etag.error().fault() == Fault::unsupported) return etag_in(xml, "CopyPartResult");
  return etag;
}

Result<Deleted> parse_deleted(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, "DeleteResult"));
  Deleted deleted;
  for (const auto& child : root.children()) {
    if (deleted.done.size() + deleted.failed.size() == kEntriesMax) return misplaced(child, "more than 10,000 objects");
    KeyVersion which{std::string(child_text(child, "Key")), std::string(child_text(child, "VersionId"))};
    if (local_name(child) == "Deleted") {
      deleted.done.push_back(std::move(which));
    } else if (local_name(child) == "Error") {
      deleted.failed.push_back({std::move(which), std::string(child_text(child, "Code").substr(0, 256)),
                                std::string(child_text(child, "Message").substr(0, 1024))});
    }
  }
  return deleted;
}

std::string format_delete(const std::vector<KeyVersion>& which) {
  std::string objects;
  for (const auto& one : which) {
    const std::string version = one.version.empty() ? "" : xml_element("VersionId", one.version);
    objects += fmt::format("<Object>{}{}</Object>", xml_element("Key", one.key), version);
  }
  return xml_root("Delete", objects);
}

std::string format_complete(const std::vector<UploadPart>& parts) {
  std::string inner;
  for (const auto& part : parts)
    inner += fmt::format("<Part>{}{}</Part>", xml_element("PartNumber", std::to_string(part.number)),
                         xml_element("ETag", fmt::format("\"{}\"", part.etag)));
  return xml_root("CompleteMultipartUpload", inner);
}

Result<Account> parse_account(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(result_of(document, xml, "ListAllMyBucketsResult"));
  Account account;
  const auto owner = child_of(root, "Owner");
  account.owner = child_text(owner, "ID");
  account.owner_name = child_text(owner, "DisplayName");
  for (const auto& child : child_of(root, "Buckets").children()) {
    if (local_name(child) != "Bucket") continue;
    if (account.buckets.size() == kBucketsMax) return misplaced(child, "more than 100,000 buckets");
    Account::Bucket bucket{std::string(child_text(child, "Name")), 0};
    if (bucket.name.empty()) return misplaced(child, "a bucket without a name");
    if (const auto made = parse_time(child_text(child, "CreationDate"))) bucket.made_ns = *made;
    account.buckets.push_back(std::move(bucket));
  }
  return account;
}

}  // namespace enclave::cloud
