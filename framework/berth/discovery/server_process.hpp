// Ending the server of a port file. The file may be old, wrong or malicious, and a pid passes from
// one process to the next, so a process is signalled only if it is proven to be the server. Blocks
// for microseconds; thread-safe.
#pragma once

#include <string>

#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

namespace berth {

/// Why the process that has the record's pid is not proven to be its server, and what the user can
/// do; empty if it is proven: it, or the process that started it, holds the lock on the port file;
/// or, if the file's writer does not claim to lock it, it started when the record says, on this
/// boot and in this pid namespace. Pid 1, this process and its ancestors are always refused.
std::string doubt_about(const record& server, const location& where);

/// Asks the server to end, as SIGTERM does. Throws berth::error if its process is not proven to be
/// the server, has ended, or may not be signalled by this user.
void ask_to_end(const record& server, const location& where);

/// Ends the server without asking it, as SIGKILL does. Throws like ask_to_end.
void force_to_end(const record& server, const location& where);

}  // namespace berth
