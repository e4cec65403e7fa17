#include <berth/io/signal_set.hpp>

#include <csignal>
#include <deque>
#include <memory>
#include <utility>

#include <uv.h>

#include <berth/io/stop_request.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {

struct signal_set::core final : wait_point {
  bool ready() const noexcept override { return !arrived.empty(); }
  struct watched {
    uv_signal_t native;
    core* set;
  };

  void caught(int signal) {
    arrived.push_back(signal);
    wake();
  }
  void close() {
    asked.reset();
    for (auto& each : handles)
      uv_close(reinterpret_cast<uv_handle_t*>(&each->native), [](uv_handle_t* of) {
        auto* const closed = static_cast<watched*>(of->data);
        core* const set = closed->set;
        if (--set->open == 0) delete set;
      });
    end_waiting();
  }

  std::deque<std::unique_ptr<watched>> handles;
  std::size_t open = 0;
  std::deque<int> arrived;
  std::unique_ptr<stop_request> asked;
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
    if (signal == SIGTERM)
      core_->asked = await_stop_request(loop, [set = core_] { set->caught(SIGTERM); });
  }
}

signal_set::~signal_set() { core_->close(); }

signal_set::awaiter::awaiter(core* of, deadline until) noexcept
    : point_waiter(of, until), core_(of) {}

result<int> signal_set::awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  const int signal = core_->arrived.front();
  core_->arrived.pop_front();
  return signal;
}

signal_set::awaiter signal_set::next(deadline until) noexcept { return awaiter(core_, until); }

}  // namespace berth
