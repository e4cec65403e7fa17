#include <berth/io/stop_request.hpp>

namespace berth {

std::unique_ptr<stop_request> await_stop_request(event_loop&, std::function<void()>) {
  return nullptr;
}

}  // namespace berth
