#include <unistd.h>

#include <cerrno>

#include <berth/base/error.hpp>
#include <berth/base/unique_handle.hpp>

namespace berth {

std::error_code last_system_error() noexcept { return {errno, std::system_category()}; }

void close_native(native_handle handle) noexcept { ::close(handle); }

}  // namespace berth
