#include <berth/service/run_end.hpp>

namespace berth {

void run_end::begin(stop_reason why) {
  if (draining_.is_set()) return;
  reason_ = why;
  draining_.set();
  begun_(why);
}

void run_end::fail(std::exception_ptr why) {
  if (!failure_) failure_ = std::move(why);
  begin(stop_reason::sibling_failed);
}

task<> run_end::essential(task<> part) {
  try {
    co_await std::move(part);
  } catch (...) {
    fail(std::current_exception());
  }
}

void run_end::rethrow_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace berth
