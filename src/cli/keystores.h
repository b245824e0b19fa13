#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/verb.h"
#include "pipeline/logstash/variables.h"

/// Where ${NAME} of people's files is looked up: the keystore beside them, then the environment.
namespace enclave::cli {

/// Of a Logstash configuration at `path`, which is absolute: logstash.keystore in its folder or the one above. It is
/// opened when the first name is looked up; why it cannot be goes to the diagnostics, once. `shell` and `diagnostics`
/// outlive what is returned.
pipeline::logstash::Variables logstash_variables(const std::string& path, Shell& shell, Diagnostics& diagnostics);

/// The same of a filebeat.yml: the keystore that it names, or filebeat.keystore in its folder, in data/ there, or in
/// /var/lib/filebeat.
std::function<std::optional<std::string>(std::string_view name)> filebeat_variables(const std::string& path,
                                                                                    Shell& shell,
                                                                                    Diagnostics& diagnostics);

}  // namespace enclave::cli
