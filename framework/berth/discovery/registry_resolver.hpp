// Knows the live servers of an application from memory, for clients that live long, and spreads
// what they ask over them: round robin, and those that failed a short while ago last. On the loop's
// thread; the registry must outlive it. Close it before it ends.
//
//   berth::registry_resolver servers(here, registry, "pm");
//   …
//   if (const auto server = servers.next()) …   // and servers.failed(*server) where it did
#pragma once

#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/discovery/registry.hpp>

namespace berth {

/// Which of several servers is to be asked next. A plain value.
class server_rotation {
 public:
  /// A server that failed is asked again as the others are after that long.
  static constexpr std::chrono::seconds forgotten_after{10};

  /// These are the servers now; what is known of those that stay is kept.
  void update(std::vector<record> servers);
  /// The one whose turn it is; those that failed come last, the one that failed first before the
  /// others. Nothing where there is none.
  std::optional<record> next(steady_time now);
  void failed(const record& server, steady_time now);
  const std::vector<record>& servers() const noexcept { return servers_; }

 private:
  struct standing {
    std::string instance_id;
    std::uint64_t turn = 0;
    std::optional<steady_time> failed;
  };

  std::vector<record> servers_;
  std::vector<standing> standings_;  // of each of the servers
  std::uint64_t turns_ = 0;
};

class registry_resolver {
 public:
  /// Begins to look.
  registry_resolver(const execution_context& context, registry& asked, std::string application);
  registry_resolver(const registry_resolver&) = delete;
  registry_resolver& operator=(const registry_resolver&) = delete;

  /// The server to ask next, from memory; nothing where none is known.
  std::optional<record> next();
  /// It did not do what it was asked.
  void failed(const record& server);
  /// All that are known, valid until the next co_await. They stay when the registry is not reached.
  const std::vector<record>& all() const noexcept { return rotation_.servers(); }
  /// Until others are known than now.
  task<result<void>> changed(deadline until = deadline::never());
  /// Looks no more. Who waits for a change gets `cancelled`.
  task<> close();

 private:
  task<> look();

  execution_context context_;
  registry& registry_;
  std::string application_;
  server_rotation rotation_;
  std::uint64_t changes_ = 0;
  bool closed_ = false;
  event changed_;
  scope looking_;
};

}  // namespace berth
