#include <berth/liveness/liveness.hpp>

namespace berth {

const liveness_strategy& default_liveness() noexcept {
  static const always_alive strategy;
  return strategy;
}

}  // namespace berth
