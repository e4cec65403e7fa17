// Knows the live servers of an application from memory, for clients that live long, and spreads
// their requests over them: round-robin, with recently failed servers last. On the loop's thread;
// the registry must outlive it. Close it before it is destroyed.
//
//   berth::registry_resolver servers(here, registry, "pm");
//   …
//   if (const auto server = servers.next()) …   // and servers.failed(*server) if it failed
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <berth/client/registry.hpp>
#include <berth/client/resolver_base.hpp>

namespace berth {

/// Chooses which of several servers to ask next. A plain value.
class server_rotation {
 public:
  /// How long a failed server comes after the others.
  static constexpr std::chrono::seconds forgotten_after{10};

  /// Sets the servers; keeps the turns and failures of those that stay.
  void update(std::vector<record> servers);
  /// The server whose turn it is; servers that failed come last, the earliest failure first.
  /// Returns nullopt if there is none.
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

class registry_resolver : public resolver_base {
 public:
  /// Begins to look.
  registry_resolver(const execution_context& context, registry& asked, std::string application);

  /// The server to ask next, from memory; nullopt if none is known.
  std::optional<record> next();
  /// Call it if that server did not do what it was asked.
  void failed(const record& server);
  /// All known servers, valid until the next co_await. They stay while the registry cannot be
  /// reached.
  const std::vector<record>& all() const noexcept { return rotation_.servers(); }
  /// Waits until the known servers change.
  task<result<void>> changed(deadline until = deadline::never()) { return wait_for_change(until); }

 private:
  task<> keep_current();
  task<std::optional<std::chrono::nanoseconds>> look();

  execution_context context_;
  registry& registry_;
  std::string application_;
  server_rotation rotation_;
  bool reached_ = true;
};

}  // namespace berth
