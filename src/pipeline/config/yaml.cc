#include "pipeline/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/encoding.h"

namespace enclave::pipeline {
namespace {

/// Ends the parsing of a document that is already wrong; its reason stands in the diagnostics.
struct Stop {};

Node node_at(Place place, Node::Kind kind = Node::Kind::null) {
  Node node;
  node.kind = kind;
  node.place = std::move(place);
  return node;
}

class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, const std::string& file, Diagnostics& diagnostics)
      : document_(text), file_(file), diagnostics_(diagnostics) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) stop(place(mark), "a second document begins here; only one is read, so remove the \"---\"");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = node_at(place(mark));
    // yaml-cpp reports an empty value where the next token stands; the user looks for it at the key.
    if (!open_.empty() && open_.back().key && node.place.line != open_.back().key->place.line)
      node.place = open_.back().key->place;
    leaf(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(place(mark), "an alias stands inside the very value that it repeats");
    count(found->second.nodes, found->second.text, place(mark));
    if (!open_.empty()) add_size(found->second.nodes, found->second.text);
    deliver(found->second.node, found->second.node.kind == Node::Kind::scalar);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(tag, mark);
    check_quote(mark);
    Node node = node_at(place(mark), Node::Kind::scalar);
    node.scalar = value;
    leaf(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(tag, mark);
    begin(node_at(place(mark), Node::Kind::list), anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(tag, mark);
    begin(node_at(place(mark), Node::Kind::map), anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Key {
    std::string text;
    Place place;
    bool duplicate = false;
  };
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Key> key;
    std::set<std::string, std::less<>> keys;
    std::size_t nodes = 1, text = 0;
  };
  struct Anchor {
    Node node;
    std::size_t nodes = 1, text = 0;
  };

  Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  [[noreturn]] void stop(Place where, std::string text) {
    diagnostics_.error(std::move(where), std::move(text));
    throw Stop{};  // tidy: allow throw: the only way out of a yaml-cpp handler; parse_yaml catches it
  }

  void check_tag(const std::string& tag, const YAML::Mark& mark) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    diagnostics_.error(place(mark), fmt::format("the tag {} is not supported; write the value without it", tag));
  }

  // yaml-cpp takes a line break before the end of the file for the closing quote.
  void check_quote(const YAML::Mark& mark) {
    std::string_view rest = document_.substr(std::min(static_cast<std::size_t>(mark.pos), document_.size()));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return;
    const char quote = rest[0];
    for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
      if (rest[0] == quote) return;
      if (rest[0] == '\\' && quote == '"' && rest.size() > 1) rest.remove_prefix(1);
    }
    stop(place(mark), "not YAML: the quote that opens here is never closed");
  }

  void count(std::size_t nodes, std::size_t text, Place where) {
    nodes_ += nodes;
    text_ += text;
    if (nodes_ > kYamlNodesMax) stop(where, fmt::format("more than {} values, aliases unfolded", kYamlNodesMax));
    if (text_ > kYamlTextMax) stop(where, fmt::format("more than {} bytes of text, aliases unfolded", kYamlTextMax));
  }
  void add_size(std::size_t nodes, std::size_t text) {
    open_.back().nodes += nodes;
    open_.back().text += text;
  }

  void leaf(Node node, YAML::anchor_t anchor) {
    const std::size_t text = node.scalar.size();
    count(1, text, node.place);
    if (!open_.empty()) add_size(1, text);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, 1, text};
    const bool can_be_key = node.kind == Node::Kind::scalar;
    deliver(std::move(node), can_be_key);
  }

  void begin(Node node, YAML::anchor_t anchor) {
    count(1, 0, node.place);
    if (open_.size() >= static_cast<std::size_t>(kYamlDepthMax))
      stop(node.place, fmt::format("nested more than {} deep", kYamlDepthMax));
    if (!open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().key)
      stop(node.place, "a list or a map cannot be a key; write a plain word before the colon");
    open_.emplace_back();
    open_.back().node = std::move(node);
    open_.back().anchor = anchor;
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (!open_.empty()) add_size(done.nodes, done.text);
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = {done.node, done.nodes, done.text};
    deliver(std::move(done.node), false);
  }

  void deliver(Node node, bool can_be_key) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      take_key(parent, std::move(node), can_be_key);
    } else {
      if (!parent.key->duplicate)
        parent.node.members.push_back({std::move(parent.key->text), std::move(parent.key->place), std::move(node)});
      parent.key.reset();
    }
  }

  void take_key(Open& parent, Node node, bool can_be_key) {
    if (!can_be_key) stop(node.place, "nothing stands before the colon; write a key there");
    if (node.scalar == "<<") diagnostics_.error(node.place, "merge keys (<<) are not supported; write the keys out");
    Key key{std::move(node.scalar), std::move(node.place), false};
    if (!parent.keys.insert(key.text).second) {
      key.duplicate = true;
      diagnostics_.error(key.place, fmt::format("\"{}\" stands here a second time; one of the two must go", key.text));
    }
    // What was refused above is not refused a second time as an unknown key.
    key.duplicate = key.duplicate || key.text == "<<";
    parent.key = std::move(key);
  }

  std::string_view document_;
  const std::string& file_;
  Diagnostics& diagnostics_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::size_t nodes_ = 0, text_ = 0;
  int documents_ = 0;
};

struct Reason {
  std::string_view theirs;
  std::string_view ours;
};
constexpr Reason kReasons[] = {
    {"illegal map value",
     "a \":\" stands where no key can end; give the line the indentation of its neighbours, or put quotes around a "
     "text "
     "that holds \": \""},
    {"illegal tab when looking for indentation", "a tab stands in the indentation; indent with spaces"},
    {"end of sequence flow not found", "a list that began with \"[\" has no \"]\""},
    {"end of map flow not found", "a map that began with \"{\" has no \"}\""},
    {"illegal EOF in scalar", "the file ends inside a text in quotes; the closing quote is missing"},
    {"unknown token", "this character cannot begin a value; put quotes around the text"},
    {"the referenced anchor is not defined", "no anchor (&name) of this name stands before the alias"},
    {"end of map not found", "this line fits neither the key above it nor its indentation"},
    {"end of sequence not found", "this line is not an item (\"- …\") of the list above it; mend its indentation"},
};

/// A tab in the indentation is the commonest cause of messages that speak of something else.
std::string hint_of_tab(std::string_view text, int line) {
  for (int i = 0; i < line && !text.empty(); ++i) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  const std::string_view indentation = text.substr(0, text.find_first_not_of(" \t"));
  return indentation.find('\t') == std::string_view::npos ? ""
                                                          : "; a tab stands in this line's indentation: use spaces";
}

void add_syntax_error(const YAML::Exception& exception, std::string_view text, const std::string& file,
                      Diagnostics& diagnostics) {
  std::string reason = exception.msg;
  for (const auto& [theirs, ours] : kReasons)
    if (reason == theirs) reason = ours;
  if (reason.find("tab") == std::string::npos) reason += hint_of_tab(text, exception.mark.line);
  diagnostics.error({file, exception.mark.line + 1, exception.mark.column + 1}, "not YAML: " + reason);
}

/// False, with the reason in the diagnostics, when the bytes cannot be a document of ours.
bool check_bytes(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  if (text.size() > kYamlBytesMax) {
    diagnostics.error({file}, fmt::format("more than {} bytes; is this the right file?", kYamlBytesMax));
    return false;
  }
  int line = 1;
  while (!text.empty()) {
    const std::string_view row = text.substr(0, text.find('\n'));
    const auto control = std::find_if(row.begin(), row.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f;
    });
    if (control != row.end()) {
      diagnostics.error({file, line, static_cast<int>(control - row.begin()) + 1},
                        fmt::format("the control character {:#04x} cannot stand in a configuration file",
                                    static_cast<unsigned char>(*control)));
      return false;
    }
    if (!is_utf8(row)) {
      diagnostics.error({file, line, 1}, "this line is not UTF-8; save the file as UTF-8");
      return false;
    }
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    ++line;
  }
  return true;
}

bool is_plain(std::string_view text) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:*@+=";
  constexpr std::string_view kWords[] = {"null", "Null", "NULL", "~", "true", "false", "yes", "no", "on", "off"};
  if (text.empty() || text.find_first_not_of(kSafe) != std::string_view::npos) return false;
  if (std::string_view("-:*@=").find(text[0]) != std::string_view::npos || text.back() == ':') return false;
  return std::find(std::begin(kWords), std::end(kWords), text) == std::end(kWords);
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (!check_bytes(text, file, diagnostics)) return node_at({file, 1, 1});
  Builder builder(text, file, diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return node_at({file, 1, 1});
  } catch (const YAML::Exception& exception) {
    add_syntax_error(exception, text, file, diagnostics);
    return node_at({file, 1, 1});
  }
  Node root = builder.take();
  if (root.place.line == 0) root.place = {file, 1, 1};
  return root;
}

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace enclave::pipeline
