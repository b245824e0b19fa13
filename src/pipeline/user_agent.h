#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {

/// What a User-Agent header says of who sent it. "" for what it does not say; names that are unknown are "Other".
struct UserAgent {
  struct Version {
    std::string major, minor, patch, build;
  };
  std::string name = "Other", os = "Other", device = "Other";
  Version version, os_version;
};

/// The browsers, programs and systems that people's logs are full of, by rules of our own.
UserAgent read_user_agent(std::string_view text);

/// Rules of a file as ua-parser's regexes.yaml: the first expression of each kind that matches decides.
class UserAgentRules {
 public:
  /// Fault::invalid with the place in `name` of what is wrong.
  static Result<UserAgentRules> parse(std::string_view yaml, const std::string& name);
  UserAgent read(std::string_view text) const;

  struct Rule {
    Regex regex;
    std::string replacements[5];  ///< name, major, minor, patch, build; "": the group of that number
  };

 private:
  std::vector<Rule> agents_, systems_, devices_;
};

}  // namespace enclave::pipeline
