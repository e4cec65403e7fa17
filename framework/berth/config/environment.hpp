// The process's environment by application: PM_SERVER_PORT for application "pm" and "SERVER_PORT".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth {

/// "PM_SERVER_PORT"; characters that a variable's name may not hold ('-', '.') become '_'.
std::string variable_name(std::string_view application, std::string_view suffix);

/// The value of the variable; nullopt if it is unset or empty.
std::optional<std::string> variable(std::string_view application, std::string_view suffix);

}  // namespace berth
