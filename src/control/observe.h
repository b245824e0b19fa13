#pragma once

#include "control/runner.h"

/// What plan, apply and audit share.
namespace enclave::control {

/// What the filter selects and what that needs, not observed yet, in order. Fails as make_plan() does.
Result<std::vector<Item>> items_in(const Reach& reach, const Scope& scope);

/// Reads, judges and plans anew; everything but control, subject and selection is replaced. `blocked` stays.
void observe(Reach& reach, Item& item);

/// Tells the scope's progress what is done to an item: "observing storage.private of logs".
void tell(const Scope& scope, std::string_view doing, const Item& item);

/// "storage.exists", with its subject where that is not the one of `from`.
std::string label(const Item& other, const Item& from);

}  // namespace enclave::control
