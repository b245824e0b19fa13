#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/runner.h"

/// What plan, apply and audit found and did, for people (80 columns) and for machines (one JSON object and a LF).
/// `target`: the endpoint of the configuration.
namespace enclave::report {

/// Each step as a difference, what will not be done and why, and a summary.
std::string plan_text(const control::Plan& plan, std::string_view target);
/// docs/formats/plan.md
std::string plan_json(const control::Plan& plan, std::string_view target);

/// `run`: where the changes are kept, 0: nothing was changed.
std::string applied_text(const std::vector<control::AppliedItem>& items, std::uint64_t run);
std::string applied_json(const std::vector<control::AppliedItem>& items, std::uint64_t run, std::string_view target);

/// What undoing this run will do, in the order in which it is done.
std::string undo_text(const control::AppliedRun& run);
std::string undone_text(const std::vector<control::UndoneChange>& changes, std::uint64_t run);
/// docs/formats/undo.md
std::string undone_json(const std::vector<control::UndoneChange>& changes, std::uint64_t run, int exit_status);

/// A table, what is not in force with expected, found, trials, remedy and standards, and the verdict.
std::string audit_text(const std::vector<control::Audited>& all, std::string_view target);
/// docs/formats/finding.md
std::string audit_json(const std::vector<control::Audited>& all, std::string_view target, std::int64_t wall_ns);

}  // namespace enclave::report
