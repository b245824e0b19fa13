#pragma once

#include <string>

#include "pipeline/filebeat/filebeat.h"

/// What an input asks for, wherever its type has it. For the .cc files of this folder.
namespace enclave::pipeline::filebeat {

/// Null: no JSON is decoded.
const Json* json_of(const Input& input);
/// Null: its lines are not those of a container engine.
const ContainerOptions* container_of(const Input& input);
/// Null: lines are not put together.
const Multiline* multiline_of(const Input& input);
const std::string& encoding_of(const Input& input);
bool is_utf16(const std::string& encoding);
/// The name that iconv(3) has for one of Filebeat's encodings.
std::string iconv_name(const std::string& encoding);
/// The patterns of `exclude_files` that globs do not say, which the file input therefore does not take.
Strings excluded_files(const Input& input);
/// "*.gz" for "\.gz$"; "" where no glob says the same.
std::string glob_of(std::string_view pattern);

}  // namespace enclave::pipeline::filebeat
