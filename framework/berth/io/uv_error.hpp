// Translates libuv's status numbers into standard error codes.
#pragma once

#include <system_error>

#include <berth/base/result.hpp>

namespace berth {

/// The code of a negative libuv status; on POSIX systems that is errno's.
std::error_code uv_error_code(int status) noexcept;

/// Throws berth::error("cannot OPERATION PATH: …") for a negative status.
void check_uv(int status, std::string_view operation, std::string_view path = {});

}  // namespace berth
