// Knows the live server of a location from memory, for clients that live long: kept true by a watch
// on the directory, and by looking again from time to time, since a server that is killed leaves
// its directory as it was. On the loop's thread. Close it before it ends.
//
//   resolver servers(here, where);
//   …
//   if (const auto& server = servers.current()) connect(*server);
//   …
//   co_await servers.close();
#pragma once

#include <cstdint>
#include <optional>

#include <berth/base/result.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/client_hooks.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

class resolver {
 public:
  /// Begins to look. The strategy and the hooks must outlive it.
  resolver(const execution_context& context, location where,
           const liveness_strategy& strategy = default_liveness(), client_hooks* hooks = nullptr);
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// The live server as last seen; nothing where there is none, or before the first look. Changes
  /// only while the loop runs: valid until the next co_await.
  const std::optional<record>& current() const noexcept { return current_; }
  /// Until another one is seen than now: a new server, new data of it, or none any more.
  task<result<std::optional<record>>> changed(deadline until = deadline::never());
  /// Until a live server is seen; at once where one is known.
  task<result<record>> live(deadline until = deadline::never());
  /// Looks no more. Who waits for a change gets `cancelled`.
  task<> close();

 private:
  task<> look();
  task<> see(std::optional<record> now);

  location where_;
  const liveness_strategy& strategy_;
  client_hooks* hooks_;
  std::optional<record> current_;
  std::uint64_t changes_ = 0;
  bool closed_ = false;
  event changed_;
  scope looking_;
};

}  // namespace berth
