#include <berth/io/stop_request.hpp>

#include <windows.h>

#include <uv.h>

#include <berth/base/error.hpp>
#include <berth/base/stop_event_windows.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

/// An event that the system's thread pool waits for and reports to the loop.
class event_request final : public stop_request {
 public:
  event_request(event_loop& loop, std::function<void()> asked) : wake_(new wake_up) {
    wake_->asked = std::move(asked);
    wake_->native.data = wake_;
    uv_async_init(loop.native(), &wake_->native,
                  [](uv_async_t* of) { static_cast<wake_up*>(of->data)->asked(); });
    const HANDLE event =
        ::CreateEventW(nullptr, FALSE, FALSE, stop_event_name(::GetCurrentProcessId()).c_str());
    if (event) event_ = unique_handle(event);
    const auto told = [](void* data, BOOLEAN) {
      uv_async_send(&static_cast<wake_up*>(data)->native);
    };
    if (event &&
        ::RegisterWaitForSingleObject(&wait_, event, told, wake_, INFINITE, WT_EXECUTEINWAITTHREAD))
      return;
    const auto why = last_system_error();
    close();
    throw error(why, "wait for a request to stop");
  }
  ~event_request() override { close(); }

 private:
  struct wake_up {
    uv_async_t native;
    std::function<void()> asked;
  };

  void close() noexcept {
    // With this handle it returns when no call is under way any more.
    if (wait_) ::UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_->native),
             [](uv_handle_t* of) { delete static_cast<wake_up*>(of->data); });
  }

  wake_up* wake_;
  unique_handle event_;
  HANDLE wait_ = nullptr;
};

}  // namespace

std::unique_ptr<stop_request> await_stop_request(event_loop& loop, std::function<void()> asked) {
  return std::make_unique<event_request>(loop, std::move(asked));
}

}  // namespace berth
