#include "cloud/s3_policy.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "event/record.h"

namespace enclave::cloud {
namespace {

using Element = simdjson::dom::element;

constexpr std::size_t kBytesMax = 64 << 10;
constexpr std::size_t kStatementsMax = 200;
constexpr std::size_t kDepthMax = 32;

Error wrong(std::size_t number, std::string_view what) {
  return Error{Fault::corrupt, "statement {} of the bucket's policy: {}", number, what};
}

bool parse_json(simdjson::dom::parser& parser, std::string_view json, Element& root) {
  const simdjson::padded_string padded(json);
  // The parser copies what it gives out, so `padded` may go.
  return parser.allocate(json.size() + 1, kDepthMax) == simdjson::SUCCESS &&
         parser.parse(padded).get(root) == simdjson::SUCCESS;
}

// A text, or a list of texts. Conditions also have numbers and truth values.
bool texts_of(const Element& element, std::vector<std::string>& texts) {
  simdjson::dom::array array;
  if (element.get_array().get(array) == simdjson::SUCCESS)
    return std::all_of(array.begin(), array.end(), [&](const Element& one) { return texts_of(one, texts); });
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS) {
    texts.emplace_back(text);
    return true;
  }
  if (!element.is_bool() && !element.is_number()) return false;
  texts.push_back(simdjson::minify(element));
  return true;
}

// {"AWS": [...], "Service": "…"} or "*".
bool principals_of(const Element& element, std::vector<std::string>& principals) {
  simdjson::dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return texts_of(element, principals);
  return std::all_of(object.begin(), object.end(), [&](const auto& kind) { return texts_of(kind.value, principals); });
}

bool conditions_of(const Element& element, std::vector<PolicyCondition>& conditions) {
  simdjson::dom::object operations, keys;
  if (element.get_object().get(operations) != simdjson::SUCCESS) return false;
  for (const auto& operation : operations) {
    if (operation.value.get_object().get(keys) != simdjson::SUCCESS) return false;
    for (const auto& key : keys) {
      PolicyCondition condition{std::string(operation.key), std::string(key.key), {}};
      if (!texts_of(key.value, condition.values)) return false;
      conditions.push_back(std::move(condition));
    }
  }
  return true;
}

bool text_of(const Element& element, std::string& text) {
  std::string_view view;
  if (element.get_string().get(view) != simdjson::SUCCESS) return false;
  text = view;
  return true;
}

bool take_member(std::string_view name, const Element& value, PolicyStatement& statement) {
  std::string effect;
  if (name == "Sid") return text_of(value, statement.sid);
  if (name == "Principal" || name == "NotPrincipal") {
    statement.not_principal = name != "Principal";
    return principals_of(value, statement.principals);
  }
  if (name == "Action" || name == "NotAction") {
    statement.not_action = name != "Action";
    return texts_of(value, statement.actions);
  }
  if (name == "Resource" || name == "NotResource") {
    statement.not_resource = name != "Resource";
    return texts_of(value, statement.resources);
  }
  if (name == "Condition") return conditions_of(value, statement.conditions);
  if (name != "Effect") return true;
  statement.allow = text_of(value, effect) && effect == "Allow";
  return effect == "Allow" || effect == "Deny";
}

Result<PolicyStatement> statement_of(const Element& element, std::size_t number) {
  simdjson::dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return wrong(number, "not an object");
  PolicyStatement statement;
  std::vector<std::string_view> seen;
  for (const auto& member : object) {
    // Of a name that stands twice, servers take the first or the last one.
    if (std::find(seen.begin(), seen.end(), member.key) != seen.end())
      return wrong(number, fmt::format("{} stands in it twice", member.key.substr(0, 64)));
    seen.push_back(member.key);
    if (!take_member(member.key, member.value, statement))
      return wrong(number, fmt::format("{} is not what stands there in a policy", member.key.substr(0, 64)));
  }
  if (std::find(seen.begin(), seen.end(), "Effect") == seen.end()) return wrong(number, "no Effect");
  statement.json = simdjson::minify(element);
  return statement;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Whether the condition lets only some callers through, whatever they do. As AWS judges in its "meaning of public".
bool keeps_out(const PolicyCondition& condition) {
  const std::string operation = lower(condition.operation);
  // Negated, or true where the key is absent: that lets others in.
  if (operation.find("not") != operation.npos || operation.ends_with("ifexists") || operation == "null") return false;
  constexpr std::array<std::string_view, 12> kKeys = {
      "aws:sourceip",         "aws:vpcsourceip",  "aws:sourcevpc", "aws:sourcevpce",
      "aws:sourceaccount",    "aws:sourceowner",  "aws:sourcearn", "aws:principalorgid",
      "aws:principalaccount", "aws:principalarn", "aws:userid",    "s3:dataaccesspointaccount"};
  if (std::find(kKeys.begin(), kKeys.end(), lower(condition.key)) == kKeys.end()) return false;
  return !condition.values.empty() &&
         std::none_of(condition.values.begin(), condition.values.end(), [](const std::string& value) {
           return value.starts_with('*') || value.ends_with("/0") || value == "0.0.0.0/1" || value == "128.0.0.0/1";
         });
}

}  // namespace

bool PolicyStatement::for_everybody() const {
  return not_principal || std::find(principals.begin(), principals.end(), "*") != principals.end();
}

bool PolicyStatement::is_public() const {
  return allow && for_everybody() && std::none_of(conditions.begin(), conditions.end(), keeps_out);
}

Result<BucketPolicy> BucketPolicy::parse(std::string_view json) {
  if (json.size() > kBytesMax)
    return Error{Fault::limit, "a bucket policy of {} bytes, at most {}", json.size(), kBytesMax};
  simdjson::dom::parser parser;
  Element root;
  simdjson::dom::object members;
  if (!parse_json(parser, json, root) || root.get_object().get(members) != simdjson::SUCCESS)
    return Error{Fault::corrupt, "the bucket's policy is not a JSON object of at most {} levels", kDepthMax};
  BucketPolicy policy;
  policy.head_.clear();
  bool seen = false;
  for (const auto& [name, value] : members) {
    if (name != "Statement") {
      policy.head_ +=
          fmt::format("{}{}:{}", policy.head_.empty() ? "" : ",", event::json_text(name), simdjson::minify(value));
      continue;
    }
    if (seen) return Error{Fault::corrupt, "the bucket's policy has two members Statement"};
    seen = true;
    simdjson::dom::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      policy.statements_.push_back(TRY(statement_of(value, 1)));
      continue;
    }
    for (const auto& element : array) {
      if (policy.statements_.size() == kStatementsMax)
        return Error{Fault::limit, "the bucket's policy has more than {} statements", kStatementsMax};
      policy.statements_.push_back(TRY(statement_of(element, policy.statements_.size() + 1)));
    }
  }
  return policy;
}

const PolicyStatement* BucketPolicy::find(std::string_view sid) const {
  for (const auto& statement : statements_)
    if (statement.sid == sid) return &statement;
  return nullptr;
}

bool BucketPolicy::is_public() const {
  return std::any_of(statements_.begin(), statements_.end(),
                     [](const auto& statement) { return statement.is_public(); });
}

Result<void> BucketPolicy::set(std::string_view statement) {
  if (statement.size() > kPolicyBytesMax)
    return Error{Fault::limit, "a statement of {} bytes; a policy has {} at most", statement.size(), kPolicyBytesMax};
  simdjson::dom::parser parser;
  Element root;
  if (!parse_json(parser, statement, root)) return Error{Fault::invalid, "the new statement is not JSON"};
  PolicyStatement wanted = TRY(statement_of(root, statements_.size() + 1));
  if (wanted.sid.empty()) return Error{Fault::invalid, "the new statement has no Sid, so it could not be found again"};
  const auto old = std::find_if(statements_.begin(), statements_.end(),
                                [&](const PolicyStatement& one) { return one.sid == wanted.sid; });
  const std::uint64_t bytes =
      json().size() + 1 + wanted.json.size() - (old == statements_.end() ? 0 : old->json.size());
  if (bytes > kPolicyBytesMax)
    return Error{Fault::limit, "with the statement \"{}\" the policy would have {} bytes; {} at most are possible",
                 wanted.sid, bytes, kPolicyBytesMax};
  if (old == statements_.end()) {
    statements_.push_back(std::move(wanted));
  } else {
    *old = std::move(wanted);
  }
  return {};
}

bool BucketPolicy::remove(std::string_view sid) {
  return std::erase_if(statements_, [&](const PolicyStatement& one) { return one.sid == sid; }) != 0;
}

std::string BucketPolicy::json() const {
  std::string out = "{" + head_ + (head_.empty() ? "" : ",") + "\"Statement\":[";
  for (const auto& statement : statements_) out += (&statement == statements_.data() ? "" : ",") + statement.json;
  return out + "]}";
}

}  // namespace enclave::cloud
