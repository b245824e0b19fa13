#pragma once

#include "cli/object_session.h"

/// The actions of `enclave object`. Each gives the exit status; an Error before anything was done.
namespace enclave::cli {

Result<int> object_put(ObjectSession& session);
Result<int> object_get(ObjectSession& session);
Result<int> object_list(ObjectSession& session);
Result<int> object_versions(ObjectSession& session);
Result<int> object_remove(ObjectSession& session);
Result<int> object_restore(ObjectSession& session);

/// An object that operands name.
struct FoundObject {
  std::string bucket;
  cloud::ObjectInfo info;  ///< only the key when it was named and not listed
  std::string asked;       ///< key, prefix or pattern
  bool listed = false;
};
/// What the operands name: keys as they are; patterns and, with `recursive`, prefixes by listing. Fault::absent for a
/// pattern or prefix that nothing fits.
Result<std::vector<FoundObject>> find_objects(ObjectSession& session, const std::vector<std::string>& operands,
                                              bool recursive, bool writing);

}  // namespace enclave::cli
