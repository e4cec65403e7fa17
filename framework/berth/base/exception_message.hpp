// The message of an exception of any type, for code that must let no exception escape (a main, a
// handler, a drain, a thread) and has to report what it caught.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// The message of the exception being handled; call it in a catch block only.
std::string exception_message() noexcept;

/// Logs the exception being handled, "DOING: MESSAGE", at the level debug, for a catch block that
/// goes on without it.
void log_ignored_exception(std::string_view doing) noexcept;

}  // namespace berth
