#include <berth/liveness/liveness.hpp>

namespace berth {

const liveness_strategy& default_liveness() noexcept {
  static const liveness_chain chain(
      {std::make_shared<lock_liveness>(), std::make_shared<process_liveness>()});
  return chain;
}

}  // namespace berth
