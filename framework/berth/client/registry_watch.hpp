// The watch for look_until and keep_looking on a registry. The registry must outlive it.
//
//   registry_watch watch(registry, "pm");
//   const auto list = [&] { return registry.list("pm", until); };
//   const auto any = [](const result<std::vector<record>>& servers) {
//     return servers && !servers->empty();
//   };
//   const auto servers = co_await look_until(watch, list, any, until);
#pragma once

#include <string>
#include <utility>

#include <berth/client/registry.hpp>

namespace berth {

class registry_watch {
 public:
  registry_watch(registry& watched, std::string application)
      : registry_(watched), application_(std::move(application)) {}

  /// Waits until the registry may list other servers than before.
  task<result<void>> changed(deadline until = deadline::never()) {
    return registry_.changed(application_, until);
  }

 private:
  registry& registry_;
  std::string application_;
};

}  // namespace berth
