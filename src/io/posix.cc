#include "io/posix.h"

#include <unistd.h>

#include <system_error>

namespace enclave::io {
namespace {

Fault fault_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Fault::absent;
    case EACCES:
    case EPERM:
    case EROFS:
      return Fault::denied;
    case EEXIST:
    case ENOTEMPTY:
      return Fault::conflict;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EMLINK:
    case ENOMEM:
      return Fault::limit;
    case EISDIR:
    case EXDEV:
    case EOPNOTSUPP:
    case ENOSYS:
      return Fault::unsupported;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EILSEQ:
      return Fault::invalid;
    default:
      return Fault::busy;
  }
}

std::string_view advice_for(int error) {
  switch (error) {
    case ENOSPC:
      return "; free space or inodes on this file system";
    case EDQUOT:
      return "; the disk quota of this user is used up, free space or raise it";
    case EACCES:
    case EPERM:
      return "; give the user that runs this program the right to it, on the directories above it too";
    case EROFS:
      return "; the file system is mounted read-only";
    case EMFILE:
      return "; raise the limit of open files of this process (ulimit -n, LimitNOFILE=)";
    case ENFILE:
      return "; raise the limit of open files of this machine (sysctl fs.file-max)";
    default:
      return "";
  }
}

}  // namespace

Descriptor::~Descriptor() {
  // Not repeated on EINTR: Linux has freed the descriptor by then, and another thread may own its number.
  if (fd_ >= 0) ::close(fd_);
}

Error system_error(int error, std::string_view path, std::string_view action) {
  return Error{fault_of(error),  "{}: cannot {}: {}{}", path, action, std::generic_category().message(error),
               advice_for(error)};
}

}  // namespace enclave::io
