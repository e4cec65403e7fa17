#include <windows.h>

#include <berth/base/error.hpp>
#include <berth/base/unique_handle.hpp>

namespace berth {

std::error_code last_system_error() noexcept {
  return {static_cast<int>(::GetLastError()), std::system_category()};
}

void close_native(native_handle handle) noexcept { ::CloseHandle(handle); }

}  // namespace berth
