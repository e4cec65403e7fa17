#include <berth/service/activity.hpp>

namespace berth {

void activity::changed() {
  if (std::this_thread::get_id() == thread_)
    tell();
  else
    home_.submit([this] { tell(); });
}

void activity::tell() {
  const bool any = count_.load() > 0;
  (any ? busy_ : idle_).set();
  (any ? idle_ : busy_).reset();
}

}  // namespace berth
