#pragma once

#include <string>
#include <string_view>

#include "event/batch.h"
#include "event/document.h"

namespace enclave::pipeline {

/// The members of the record (event::Event::fields) of what filters made of an event: those that its input gave it, and
/// `event` with all fields of the document but those that the record has already. Valid while `scratch` is untouched.
std::string_view event_fields(const event::Event& from, const event::Document& document, std::string& scratch);

}  // namespace enclave::pipeline
