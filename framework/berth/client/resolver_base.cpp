#include <berth/client/resolver_base.hpp>

namespace berth {

void resolver_base::report_change() {
  ++changes_;
  changed_.set();
  changed_.reset();
}

task<result<void>> resolver_base::wait_for_change(deadline until) {
  const auto before = changes_;
  while (changes_ == before) {
    const auto woken = co_await changed_.wait(until);
    if (!woken) co_return woken.failure();
    if (closed_) co_return failure::cancelled(stop_reason::shutdown);
  }
  co_return result<void>();
}

task<> resolver_base::close() {
  closed_ = true;
  looking_.cancel(stop_reason::shutdown);
  co_await looking_.join();
  changed_.set();
}

}  // namespace berth
