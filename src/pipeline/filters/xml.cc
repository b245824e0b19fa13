#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <pugixml.hpp>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::size_t kBytesMax = 16 << 20;
constexpr int kDepthMax = 200;               ///< of elements
constexpr std::size_t kNodesMax = 100'000;   ///< elements, attributes and texts
constexpr std::size_t kResultsMax = 10'000;  ///< of one XPath

struct Query {
  pugi::xpath_query query;
  logstash::FieldReference target;
};

struct Settings {
  logstash::FieldReference source;
  std::optional<logstash::FieldReference> target = {};
  std::map<std::string, std::string, std::less<>> prefixes = {};  ///< by URI, as the queries have them
  bool store = true, remove_namespaces = false, force_array = true, force_content = false, suppress_empty = true;
};

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// What the elements of a text become in an event, as the original's library does it.
class Folding {
 public:
  Folding(const Settings& settings, event::Arena& arena) : settings_(settings), arena_(arena) {}

  Value fold(const pugi::xml_node& element) {
    const Value map = Value::map(arena_);
    for (const pugi::xml_attribute& attribute : element.attributes())
      map.append_member(arena_, arena_.store(attribute.name()), Value::of(arena_.store(attribute.value())));
    bool has_elements = false;
    std::vector<std::string_view> texts;
    for (const pugi::xml_node& child : element.children()) {
      if (child.type() != pugi::node_element) {
        texts.emplace_back(child.value());
        continue;
      }
      has_elements = true;
      const Value value = fold(child);
      const bool empty = value.is(Kind::map) && value.members().empty();
      if (!empty || !settings_.suppress_empty) merge(map, child.name(), value);
    }
    if (!has_elements) return fold_text(map, texts);
    // Text beside elements: what is but space between them is nobody's.
    if (!std::ranges::all_of(texts, is_blank))
      for (const auto text : texts) merge_plain(map, "content", Value::of(arena_.store(text)));
    return map;
  }

 private:
  Value fold_text(const Value& map, const std::vector<std::string_view>& texts) {
    if (std::ranges::all_of(texts, is_blank)) return map;
    std::string whole;
    for (const auto text : texts) whole += text;
    const Value value = Value::of(arena_.store(whole));
    if (map.members().empty() && !settings_.force_content) return value;
    merge_plain(map, "content", value);
    return map;
  }

  void merge(const Value& map, std::string_view name, Value value) {
    Value* const known = map.find(name);
    if (known == nullptr && settings_.force_array) {
      const Value list = Value::list(arena_, 1);
      list.append(arena_, value);
      return map.set(arena_, arena_.store(name), list);
    }
    merge_plain(map, name, value);
  }

  void merge_plain(const Value& map, std::string_view name, Value value) {
    Value* const known = map.find(name);
    if (known == nullptr) return map.set(arena_, arena_.store(name), value);
    if (!known->is(Kind::list)) {
      const Value list = Value::list(arena_);
      list.append(arena_, *known);
      *known = list;
    }
    known->append(arena_, value);
  }

  const Settings& settings_;
  event::Arena& arena_;
};

/// The library compares prefixes and knows no namespaces; so each element gets the prefix that the queries have for its
/// namespace: that of `namespaces`, else that of the root element, where "xmlns" is the one without a prefix.
class Prefixes {
 public:
  explicit Prefixes(const Settings& settings) : settings_(settings) {}

  void apply(pugi::xml_node root) {
    known_ = settings_.prefixes;
    if (known_.empty())
      for (const pugi::xml_attribute& attribute : root.attributes())
        if (const auto prefix = declared(attribute.name()))
          known_.emplace(attribute.value(), prefix->empty() ? "xmlns" : *prefix);
    rename(root);
  }

 private:
  static std::optional<std::string> declared(std::string_view attribute) {
    if (attribute == "xmlns") return "";
    if (attribute.starts_with("xmlns:")) return std::string(attribute.substr(6));
    return std::nullopt;
  }

  std::string renamed(std::string_view name, bool is_element) const {
    if (settings_.remove_namespaces) return std::string(local_name(name));
    const std::size_t colon = name.find(':');
    if (colon == std::string_view::npos && !is_element) return std::string(name);
    const auto scope = scopes_.find(colon == std::string_view::npos ? std::string_view() : name.substr(0, colon));
    if (scope == scopes_.end() || scope->second.empty() || scope->second.back().empty()) return std::string(name);
    const auto known = known_.find(scope->second.back());
    if (known != known_.end()) return known->second + ":" + std::string(local_name(name));
    return colon == std::string_view::npos ? "xmlns:" + std::string(name) : std::string(name);
  }

  void rename(pugi::xml_node element) {
    std::vector<std::string> opened;
    for (const pugi::xml_attribute& attribute : element.attributes()) {
      if (const auto prefix = declared(attribute.name())) {
        scopes_[*prefix].emplace_back(attribute.value());
        opened.push_back(*prefix);
      }
    }
    element.set_name(renamed(element.name(), true).c_str());
    for (pugi::xml_attribute attribute = element.first_attribute(); attribute;) {
      pugi::xml_attribute next = attribute.next_attribute();
      if (!declared(attribute.name())) {
        attribute.set_name(renamed(attribute.name(), false).c_str());
      } else if (settings_.remove_namespaces) {
        element.remove_attribute(attribute);
      }
      attribute = next;
    }
    for (const pugi::xml_node& child : element.children())
      if (child.type() == pugi::node_element) rename(child);
    for (const auto& prefix : opened) scopes_.find(prefix)->second.pop_back();
  }

  const Settings& settings_;
  std::map<std::string, std::string, std::less<>> known_;
  std::map<std::string, std::vector<std::string>, std::less<>> scopes_;  ///< URIs by prefix, the inner one last
};

struct Printer final : pugi::xml_writer {
  std::string text;
  void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
};

/// Reads XML from a text.
class Xml final : public Filter {
 public:
  Xml(Settings settings, std::vector<Query> queries) : settings_(std::move(settings)), queries_(std::move(queries)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    const Value* value = event.find(settings_.source.segments());
    if (value == nullptr) return false;
    if (value->is(Kind::list) && value->items().size() == 1) value = value->items().data();
    if (!value->is(Kind::text)) return fail(event);
    if (is_blank(value->text())) return false;
    pugi::xml_document document;
    // Entities of a document type are not read, so nothing can grow and nothing outside is opened.
    constexpr unsigned kHow = pugi::parse_default;
    if (value->text().size() > kBytesMax ||
        !document.load_buffer(value->text().data(), value->text().size(), kHow, pugi::encoding_utf8))
      return fail(event);
    const pugi::xml_node root = document.document_element();
    if (!root || !is_bounded(root)) return fail(event);
    Value stored;
    if (settings_.store) stored = Folding(settings_, event.arena()).fold(root);
    bool matched = settings_.store;
    if (!queries_.empty()) {
      Prefixes(settings_).apply(root);
      for (const Query& query : queries_) {
        const auto found = look_up(query, document, event);
        if (!found) return fail(event);
        matched = matched || *found;
      }
    }
    if (settings_.store && !event.set(settings_.target->segments(), stored)) return fail(event);
    return matched;
  }

 private:
  static bool fail(event::Document& event) {
    event.tag("_xmlparsefailure");
    return false;
  }

  /// In depth and number, so that what follows may use the stack.
  static bool is_bounded(const pugi::xml_node& root) {
    std::size_t nodes = 0;
    int depth = 0;
    for (pugi::xml_node at = root; at;) {
      ++nodes;
      for (const pugi::xml_attribute& attribute : at.attributes()) nodes += attribute ? 1 : 0;
      if (nodes > kNodesMax) return false;
      if (at.first_child()) {
        at = at.first_child();
        if (++depth > kDepthMax) return false;
        continue;
      }
      while (at != root && !at.next_sibling()) {
        at = at.parent();
        --depth;
      }
      if (at == root) break;
      at = at.next_sibling();
    }
    return true;
  }

  /// Whether there was something; nothing when the target cannot be set.
  static std::optional<bool> look_up(const Query& query, const pugi::xml_document& document, event::Document& event) {
    std::vector<std::string> texts;
    switch (query.query.return_type()) {
      case pugi::xpath_type_node_set:
        for (const pugi::xpath_node& node : query.query.evaluate_node_set(document)) {
          if (texts.size() == kResultsMax) break;
          texts.push_back(text_of(node));
        }
        break;
      case pugi::xpath_type_number: {
        std::string number;
        event::append_real(query.query.evaluate_number(document), number);
        texts.push_back(std::move(number));
        break;
      }
      case pugi::xpath_type_boolean:
        texts.emplace_back(query.query.evaluate_boolean(document) ? "true" : "false");
        break;
      default:
        texts.push_back(query.query.evaluate_string(document));
    }
    if (texts.empty()) return false;
    const Value list = Value::list(event.arena(), texts.size());
    if (const Value* const known = event.find(query.target.segments()); known != nullptr && !known->is(Kind::null)) {
      if (known->is(Kind::list)) {
        for (const Value& item : known->items()) list.append(event.arena(), item);
      } else {
        list.append(event.arena(), *known);
      }
    }
    for (const auto& text : texts) list.append(event.arena(), Value::of(event.arena().store(text)));
    if (!event.set(query.target.segments(), list)) return std::nullopt;
    return true;
  }

  static std::string text_of(const pugi::xpath_node& node) {
    if (node.attribute()) return node.attribute().value();
    Printer printer;
    node.node().print(printer, "", pugi::format_raw | pugi::format_no_declaration);
    return std::move(printer.text);
  }

  Settings settings_;
  std::vector<Query> queries_;
};

std::vector<Query> read_queries(logstash::PluginOptions& options) {
  std::vector<Query> queries;
  for (const auto& [text, targets] : options.hash("xpath")) {
    try {
      pugi::xpath_query query(text.c_str());
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (i > 0) query = pugi::xpath_query(text.c_str());
        queries.push_back({std::move(query), options.as_field("xpath", targets[i])});
      }
    } catch (const pugi::xpath_exception& wrong) {
      options.mistake(
          "xpath", fmt::format("\"{}\" is no XPath: {} (at byte {})", text, wrong.what(), wrong.result().offset + 1));
    }
  }
  return queries;
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"}, kStrict[] = {"", "strict"};
  options.choice("ecs_compatibility", kModes, "v8");
  options.choice("parse_options", kStrict, "");
  if (!options.has("source")) options.mistake("source", "the field to read is wanted: source => \"message\"");
  Settings settings{.source = options.field("source", "message"), .target = options.field_if_set("target")};
  settings.store = options.boolean("store_xml", true);
  if (settings.store && !settings.target && !options.has("target"))
    options.mistake("target", "a field for the elements is wanted, target => \"doc\", or store_xml => false");
  for (const auto& [prefix, uri] : options.pairs("namespaces")) settings.prefixes.emplace(uri, prefix);
  settings.remove_namespaces = options.boolean("remove_namespaces", false);
  settings.force_array = options.boolean("force_array", true);
  settings.force_content = options.boolean("force_content", false);
  settings.suppress_empty = options.boolean("suppress_empty", true);
  auto queries = read_queries(options);
  if (options.failed()) return nullptr;
  return std::make_unique<Xml>(std::move(settings), std::move(queries));
}

}  // namespace

extern const FilterPlugin filter_xml;
const FilterPlugin filter_xml = {"xml", "Reads XML from a text into fields.", make};

}  // namespace enclave::pipeline
