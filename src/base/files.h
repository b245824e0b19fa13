#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/ports.h"

/// What every folder needs of a file system, written once over the Files port.
namespace enclave {

/// The whole file. Fault::limit when it is larger than `bytes_max`.
Result<std::string> read_file(Files& files, const std::string& path, std::uint64_t bytes_max);

/// Readers see the old or the new content, never a part, also after a power cut: temporary file, fsync, rename, fsync
/// of the directory. Mode 0600.
Result<void> replace_file(Files& files, const std::string& path, std::string_view bytes);

/// Makes the file with this content, or fails with Fault::conflict and leaves what is there alone. As durable as
/// replace_file.
Result<void> create_file(Files& files, const std::string& path, std::string_view bytes);

/// Makes the directory and its missing parents, and syncs what it made.
Result<void> make_directories(Files& files, const std::string& path);

/// Removes the file if it is there. Not synced.
Result<void> remove_if_there(Files& files, const std::string& path);

/// Calls `visit(path relative to root, info)` for each regular file below `root`, in byte order of the path's
/// components. A missing root has no files. Symbolic links are not followed.
Result<void> walk_files(Files& files, const std::string& root,
                        const std::function<Result<void>(const std::string&, const FileInfo&)>& visit);

/// "/a/b" of "/a/b/c"; "/" of "/a"; "." of "a".
std::string parent_of(std::string_view path);
std::string_view name_in(std::string_view path);
std::string join_path(std::string_view directory, std::string_view name);

/// Where a user who is not the machine's keeps state: "$XDG_STATE_HOME/enclave", else "$HOME/.local/state/enclave";
/// empty when neither is an absolute path, as the XDG Base Directory Specification wants it.
std::string user_state_directory(std::string_view xdg_state_home, std::string_view home);

}  // namespace enclave
