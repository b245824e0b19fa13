#include "cloud/s3_xml.h"

#include "base/encoding.h"
#include "base/time.h"
#include "cloud/sigv4.h"
#include "cloud/xml_reader.h"

namespace enclave::cloud {
namespace {

constexpr std::size_t kEntriesMax = 10'000;

Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, std::string_view expected) {
  return cloud::root_of(document, xml, expected, kListBytesMax);
}

std::string text_in(std::string_view text, bool encoded) { return encoded ? uri_decode(text) : std::string(text); }

Result<ObjectInfo> entry_of(const pugi::xml_node& node, bool encoded, bool marker) {
  ObjectInfo info;
  info.key = text_in(child_text(node, "Key"), encoded);
  if (info.key.empty()) return Error{Fault::corrupt, "the server listed an object without a key"};
  info.delete_marker = marker;
  if (!marker) {
    const auto bytes = parse_number(child_text(node, "Size"));
    if (!bytes) return Error{Fault::corrupt, "the server listed \"{}\" without a size", info.key};
    info.bytes = *bytes;
    info.etag = unquoted(child_text(node, "ETag"));
  }
  const auto modified = parse_time(child_text(node, "LastModified"));
  if (!modified) return Error{Fault::corrupt, "the server listed \"{}\" without a time", info.key};
  info.modified_ns = *modified;
  return info;
}

Result<void> check_count(const ListPage& page) {
  if (page.entries.size() < kEntriesMax) return {};
  return Error{Fault::corrupt, "the server listed more than {} objects at once", kEntriesMax};
}

}  // namespace

Result<ListPage> parse_objects(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(root_of(document, xml, "ListBucketResult"));
  const bool encoded = child_text(root, "EncodingType") == "url";
  ListPage page;
  page.truncated = child_text(root, "IsTruncated") == "true";
  page.next_token = child_text(root, "NextContinuationToken");
  for (const auto& child : root.children()) {
    if (local_name(child) != "Contents") continue;
    TRY(check_count(page));
    page.entries.push_back(TRY(entry_of(child, encoded, false)));
  }
  if (page.truncated && page.next_token.empty())
    return Error{Fault::corrupt, "the server cut its list short and does not say how to go on"};
  return page;
}

Result<ListPage> parse_versions(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(root_of(document, xml, "ListVersionsResult"));
  const bool encoded = child_text(root, "EncodingType") == "url";
  ListPage page;
  page.truncated = child_text(root, "IsTruncated") == "true";
  page.next_key = text_in(child_text(root, "NextKeyMarker"), encoded);
  page.next_version = child_text(root, "NextVersionIdMarker");
  std::string_view last_version;
  for (const auto& child : root.children()) {
    const bool marker = local_name(child) == "DeleteMarker";
    if (!marker && local_name(child) != "Version") continue;
    TRY(check_count(page));
    ObjectInfo info = TRY(entry_of(child, encoded, marker));
    info.latest = child_text(child, "IsLatest") == "true";
    last_version = child_text(child, "VersionId");
    info.version = last_version;
    if (info.latest && info.version == "null") info.version.clear();
    page.entries.push_back(std::move(info));
  }
  if (page.truncated && page.next_key.empty())
    return Error{Fault::corrupt, "the server cut its list short and does not say how to go on"};
  // Swift says "null" here whatever came last, and would then leave out the older versions of that key.
  if (page.next_version == "null" && !page.entries.empty() && page.entries.back().key == page.next_key)
    page.next_version = last_version;
  return page;
}

S3Error parse_error(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "Error");
  if (!root) return {};
  const auto text = [&](std::string_view name) { return std::string(child_text(*root, name).substr(0, 1024)); };
  return {text("Code"), text("Message"), text("Resource"), text("RequestId"), text("Region"), text("Endpoint")};
}

std::string root_name(std::string_view xml) {
  pugi::xml_document document;
  if (xml.size() > kListBytesMax ||
      !document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8))
    return {};
  return std::string(local_name(document.document_element()));
}

Result<bool> parse_versioning(std::string_view xml) {
  pugi::xml_document document;
  const auto root = TRY(root_of(document, xml, "VersioningConfiguration"));
  return child_text(root, "Status") == "Enabled";
}

}  // namespace enclave::cloud
