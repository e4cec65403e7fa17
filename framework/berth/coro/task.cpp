#include <berth/coro/task.hpp>

namespace berth {

void throw_misused_task(bool moved_from) {
  throw error(std::string("cannot await a task: it was ") +
                  (moved_from ? "moved from, so there is nothing to run"
                              : "awaited before, and a task runs once"),
              std::make_error_code(std::errc::invalid_argument));
}

}  // namespace berth
