#pragma once

#include "event/batch.h"
#include "event/document.h"
#include "pipeline/filter.h"

namespace enclave::pipeline::filebeat {

/// The fields of an entry of the journal under the names that Filebeat gives them; others as journald.custom.name.
void shape_journal(const event::Event& from, FilterRun& run, event::Document& into);

}  // namespace enclave::pipeline::filebeat
