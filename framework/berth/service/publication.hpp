// A service's port file while it serves: published and listed, published again when something else
// deletes it, and removed in the end. On the loop's thread; files are handled on the pool.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include <berth/coro/task.hpp>
#include <berth/discovery/claim.hpp>

namespace berth {

class publication {
 public:
  /// Throws already_running, or error if the system refuses.
  static task<publication> publish(location where, record server, claim_options options = {});
  /// Under a claim that is held already.
  static task<publication> publish(claim owned, record server);

  /// Called when there is nothing left to keep: another server replaced ours, or the workspace was
  /// removed. `other` is null in the second case.
  using lost_callback = std::function<void(const error& why, const already_running* other)>;

  /// Runs until it is cancelled: publishes the file again if another program deletes it, and
  /// retries if that fails. Calls `lost` at most once, and returns then.
  task<> keep(lost_callback lost);
  /// Removes the file if it is still ours.
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
  task<std::optional<std::chrono::nanoseconds>> restore(const lost_callback& lost);
  task<> check();
  task<> publish_again();
  task<> let_removal_end();

  claim claim_;
  record server_;
  std::atomic<std::uint64_t>* times_ = nullptr;
};

}  // namespace berth
