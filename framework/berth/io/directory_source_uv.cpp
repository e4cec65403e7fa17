#include <uv.h>

#include <berth/io/directory_source.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

class uv_source final : public directory_source {
 public:
  uv_source(event_loop& loop, const std::filesystem::path& directory, directory_listener& told)
      : native_(new uv_fs_event_t) {
    uv_fs_event_init(loop.native(), native_);
    native_->data = &told;
    const auto changed = [](uv_fs_event_t* of, const char* name, int, int status) {
      static_cast<directory_listener*>(of->data)->changed(status < 0 || !name ? "" : name);
    };
    const int status = uv_fs_event_start(native_, changed, directory.string().c_str(), 0);
    if (status < 0) {
      close();
      check_uv(status, "watch", directory.string());
    }
  }
  ~uv_source() override { close(); }

 private:
  void close() noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(native_),
             [](uv_handle_t* of) { delete reinterpret_cast<uv_fs_event_t*>(of); });
  }
  uv_fs_event_t* native_;
};

}  // namespace

std::unique_ptr<directory_source> watch_directory(event_loop& loop,
                                                  const std::filesystem::path& directory,
                                                  directory_listener& told) {
  return std::make_unique<uv_source>(loop, directory, told);
}

}  // namespace berth
