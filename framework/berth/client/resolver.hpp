// Knows the live server of a location from memory, for clients that live long: kept current by a
// watch on the directory and by looking again from time to time, since a server that is killed
// leaves its directory as it was. On the loop's thread. Close it before it is destroyed.
//
//   resolver servers(here, where);
//   …
//   if (const auto& server = servers.current()) connect(*server);
//   …
//   co_await servers.close();
#pragma once

#include <chrono>
#include <optional>

#include <berth/base/result.hpp>
#include <berth/client/client_hooks.hpp>
#include <berth/client/resolver_base.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

class resolver : public resolver_base {
 public:
  /// Begins to look. The strategy and the hooks must outlive it.
  resolver(const execution_context& context, location where,
           const liveness_strategy& strategy = default_liveness(), client_hooks* hooks = nullptr);

  /// The live server as last seen; nullopt if there is none, or before the first look. Changes
  /// only while the loop runs: valid until the next co_await.
  const std::optional<record>& current() const noexcept { return current_; }
  /// Waits for a change: a new server, new data of the same one, or none any more (absent).
  task<result<record>> changed(deadline until = deadline::never());
  /// Waits until a live server is seen; returns at once if one is known.
  task<result<record>> live(deadline until = deadline::never());

 private:
  task<> keep_current();
  task<std::optional<std::chrono::nanoseconds>> look();
  task<> see(std::optional<record> server);

  location location_;
  const liveness_strategy& strategy_;
  client_hooks* hooks_;
  std::optional<record> current_;
};

}  // namespace berth
