#pragma once

#include <string>

#include "event/document.h"

namespace enclave::pipeline {

/// Appends an event as Logstash's plain and line codecs print it without a format: time, host and message with a space
/// between. A missing field is "%{host}" or "%{message}"; maps and lists look as Java prints them, {name=x} and [a, b].
void append_event_line(const event::Document& event, std::string& out);

}  // namespace enclave::pipeline
