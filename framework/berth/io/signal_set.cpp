#include <berth/io/signal_set.hpp>

#include <deque>
#include <memory>
#include <utility>

#include <uv.h>

#include <berth/io/uv_error.hpp>

namespace berth {

struct signal_set::core {
  struct watched {
    uv_signal_t native;
    core* set;
  };

  void caught(int signal) {
    arrived.push_back(signal);
    if (awaiter* const next = std::exchange(waiting, nullptr)) next->complete_now();
  }
  void close() {
    for (auto& each : handles)
      uv_close(reinterpret_cast<uv_handle_t*>(&each->native), [](uv_handle_t* of) {
        auto* const closed = static_cast<watched*>(of->data);
        core* const set = closed->set;
        if (--set->open == 0) delete set;
      });
  }

  std::deque<std::unique_ptr<watched>> handles;
  std::size_t open = 0;
  std::deque<int> arrived;
  awaiter* waiting = nullptr;
};

signal_set::signal_set(event_loop& loop, std::initializer_list<int> signals) : core_(new core) {
  for (const int signal : signals) {
    auto& added = core_->handles.emplace_back(std::make_unique<core::watched>());
    added->set = core_;
    added->native.data = added.get();
    uv_signal_init(loop.native(), &added->native);
    ++core_->open;
    const int status = uv_signal_start(
        &added->native,
        [](uv_signal_t* of, int number) {
          static_cast<core::watched*>(of->data)->set->caught(number);
        },
        signal);
    if (status < 0) {
      core_->close();
      check_uv(status, "catch signal", std::to_string(signal));
    }
  }
}

signal_set::~signal_set() { core_->close(); }

bool signal_set::awaiter::start(std::coroutine_handle<> awaiting,
                                const execution_context& context) noexcept {
  if (!core_->arrived.empty() && !context.stop.stop_requested()) return false;
  if (!begin(awaiting, context, until_)) return false;
  core_->waiting = this;
  return true;
}

bool signal_set::awaiter::abandon() noexcept {
  core_->waiting = nullptr;
  return true;
}

result<int> signal_set::awaiter::await_resume() {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  const int signal = core_->arrived.front();
  core_->arrived.pop_front();
  return signal;
}

}  // namespace berth
