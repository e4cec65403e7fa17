#include <berth/base/exception_message.hpp>

#include <exception>
#include <new>

#include <berth/base/log.hpp>

namespace berth {

// "out of memory" is short enough to need no memory.
std::string exception_message() noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      return "out of memory";
    } catch (const std::exception& thrown) {
      return thrown.what();
    } catch (...) {
      return "an exception of an unknown type";
    }
  } catch (...) {
    return "out of memory";
  }
}

void log_ignored_exception(std::string_view doing) noexcept {
  if (!log::enabled(log::level::debug)) return;
  const std::string message = exception_message();
  try {
    log::debug("{}: {}", doing, message);
  } catch (...) {
    log::write(log::level::debug, "out of memory");
  }
}

}  // namespace berth
