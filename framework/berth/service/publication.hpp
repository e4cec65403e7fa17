// A service's port file while it serves: published and listed, published again when something else
// deletes it, and removed in the end. On the loop's thread; files are handled on the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <berth/coro/task.hpp>
#include <berth/discovery/claim.hpp>

namespace berth {

class publication {
 public:
  /// Throws already_running, or error where the system refuses.
  static task<publication> publish(location where, record server, claim_options options = {});
  /// Under a claim that is held already.
  static task<publication> publish(claim owned, record server);

  /// Watches until it is stopped. Calls `lost`, once, if another server came in our place.
  task<> keep(std::function<void(const already_running&)> lost);
  /// Removes the file if it is ours still.
  task<> remove();

  /// Counts each time that it is published, this one included.
  void count_in(std::atomic<std::uint64_t>& times) {
    times_ = &times;
    ++times;
  }

  const record& server() const noexcept { return server_; }
  const std::optional<record>& found_stale() const noexcept { return claim_.found_stale(); }

 private:
  publication(claim owned, record server) : claim_(std::move(owned)), server_(std::move(server)) {}
  task<> publish_again();
  task<> list();

  claim claim_;
  record server_;
  std::atomic<std::uint64_t>* times_ = nullptr;
};

}  // namespace berth
