#include <berth/io/shared_library.hpp>

#include <fmt/format.h>
#include <uv.h>

#include <berth/base/error.hpp>

namespace berth {

struct shared_library::core {
  uv_lib_t native;
};

shared_library::shared_library(const std::filesystem::path& path) : core_(new core) {
  if (uv_dlopen(path.string().c_str(), &core_->native) == 0) return;
  const std::string why = uv_dlerror(&core_->native);
  uv_dlclose(&core_->native);
  throw error(fmt::format("cannot load {}: {}", path.string(), why),
              std::make_error_code(std::errc::executable_format_error));
}

shared_library::~shared_library() { uv_dlclose(&core_->native); }

void* shared_library::symbol(const char* name) const noexcept {
  void* found = nullptr;
  return uv_dlsym(&core_->native, name, &found) == 0 ? found : nullptr;
}

}  // namespace berth
