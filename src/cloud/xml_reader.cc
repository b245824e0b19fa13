#include "cloud/xml_reader.h"

#include "base/encoding.h"

namespace enclave::cloud {

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name) {
  for (const auto& child : node.children())
    if (local_name(child) == name) return child;
  return {};
}

std::string_view child_text(const pugi::xml_node& node, std::string_view name) {
  return child_of(node, name).text().get();
}

Result<std::optional<std::uint32_t>> child_number(const pugi::xml_node& node, std::string_view name) {
  const auto child = child_of(node, name);
  if (!child) return std::optional<std::uint32_t>();
  const auto number = parse_number(child.text().get());
  if (!number || *number > 0xffffffffU)
    return Error{Fault::corrupt, "<{}> at byte {} of the server's answer is not a number", name, child.offset_debug()};
  return std::optional(static_cast<std::uint32_t>(*number));
}

bool child_flag(const pugi::xml_node& node, std::string_view name) {
  const auto text = child_text(node, name);
  return text == "true" || text == "TRUE" || text == "True";
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, std::string_view expected,
                               std::uint64_t bytes_max) {
  if (xml.size() > bytes_max)
    return Error{Fault::limit, "an XML answer of {} bytes, at most {}", xml.size(), bytes_max};
  // A key may be a space.
  constexpr unsigned kHow = pugi::parse_default | pugi::parse_ws_pcdata_single;
  const auto parsed = document.load_buffer(xml.data(), xml.size(), kHow, pugi::encoding_utf8);
  if (!parsed)
    return Error{Fault::corrupt, "the server's answer is not XML: {} at byte {}", parsed.description(), parsed.offset};
  const pugi::xml_node root = document.document_element();
  if (local_name(root) != expected)
    return Error{Fault::unsupported, "the server answered with <{}> where <{}> was due: it does not know this request",
                 local_name(root).substr(0, 64), expected};
  return root;
}

bool xml_can_hold(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r') return false;
  return is_utf8(text) && text.find("\xef\xbf\xbe") == text.npos && text.find("\xef\xbf\xbf") == text.npos;
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\t':
      case '\n':
      case '\r':
        out += fmt::format("&#{};", static_cast<int>(c));
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string xml_element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, xml_escaped(text));
}

std::string xml_root(std::string_view name, std::string_view inner) {
  return fmt::format("<{0} xmlns=\"{1}\">{2}</{0}>", name, kS3Namespace, inner);
}

}  // namespace enclave::cloud
