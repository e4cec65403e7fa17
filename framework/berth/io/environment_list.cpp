#include <berth/io/environment_list.hpp>

#include <uv.h>

#include <berth/io/uv_error.hpp>

namespace berth {

std::vector<std::string> our_environment() {
  std::vector<std::string> all;
  uv_env_item_t* items = nullptr;
  int count = 0;
  check_uv(uv_os_environ(&items, &count), "read", "the environment");
  for (int i = 0; i < count; ++i) all.push_back(std::string(items[i].name) + "=" + items[i].value);
  uv_os_free_environ(items, count);
  return all;
}

}  // namespace berth
