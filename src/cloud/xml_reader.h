#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

/// Reading and writing of the XML that S3 uses, for s3_xml.cc, s3_documents.cc and s3_results.cc.
namespace enclave::cloud {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Without a namespace prefix.
std::string_view local_name(const pugi::xml_node& node);
pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name);
/// "" where there is no such child.
std::string_view child_text(const pugi::xml_node& node, std::string_view name);
/// Nothing where there is no such child; Fault::corrupt when it is no number that fits.
Result<std::optional<std::uint32_t>> child_number(const pugi::xml_node& node, std::string_view name);
/// "true" in any case.
bool child_flag(const pugi::xml_node& node, std::string_view name);
std::string unquoted(std::string_view etag);

/// Reads without entities of a document type, so nothing can grow. Fault::limit beyond `bytes_max`, Fault::corrupt when
/// it is not XML, Fault::unsupported when the root element is not `expected`. The node lives in `document`.
Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, std::string_view expected,
                               std::uint64_t bytes_max);

/// Whether XML 1.0 can hold this text: no control characters but tab and line ends, and UTF-8.
bool xml_can_hold(std::string_view text);
/// As the text of an element. Line ends too, which a reader would change.
std::string xml_escaped(std::string_view text);
/// "<name>text</name>", escaped.
std::string xml_element(std::string_view name, std::string_view text);
/// "<name xmlns=…>inner</name>" in the namespace of S3.
std::string xml_root(std::string_view name, std::string_view inner);

}  // namespace enclave::cloud
