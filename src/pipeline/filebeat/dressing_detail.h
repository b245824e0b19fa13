#pragma once

#include <string>

#include "pipeline/filebeat/encodings.h"
#include "pipeline/filebeat/filebeat.h"

/// What an input asks for, wherever its type has it. For the .cc files of this folder.
namespace enclave::pipeline::filebeat {

/// Of an event, until it is dressed: the JSON object of a line that is decoded before lines are put together.
inline constexpr std::string_view kDecodedField = "@decoded";

/// Whether JSON is decoded before a rule looks at what its message_key says.
bool decodes_first(const Input& input);
/// Null: no JSON is decoded.
const Json* json_of(const Input& input);
/// Null: its lines are not those of a container engine.
const ContainerOptions* container_of(const Input& input);
/// Null: lines are not put together.
const Multiline* multiline_of(const Input& input);
const std::string& encoding_of(const Input& input);
/// Null: what is read is no syslog.
const Parser* syslog_parser_of(const Input& input);
/// Whether the parser `first` stands before the parser `second`, where there are both.
bool stands_before(const Input& input, std::string_view first, std::string_view second);
/// The patterns of `exclude_files` that globs do not say, which the file input therefore does not take.
Strings excluded_files(const Input& input);
/// "*.gz" for "\.gz$"; "" where no glob says the same.
std::string glob_of(std::string_view pattern);

}  // namespace enclave::pipeline::filebeat
