// A claim's entry in the list of instances: how it keeps its own, and waits for another's owner.
#include <chrono>
#include <thread>

#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {
namespace {

/// How long a server has to publish again what was deleted, before a start is refused for it.
constexpr std::chrono::seconds longest_wait_for_owner{6};

}  // namespace

/// If the files here are new, but a server that was here lives, and is about to publish again: its
/// entry in the list of instances, which it still holds.
std::optional<std::filesystem::path> claim::entry_of_owner() const {
  const bool may_be_new = lock_->is_new() || !file_lock::ranges_share_a_file;
  const bool starts = !established_ && options_.replaces.empty() && !(entry_ && entry_->held());
  return may_be_new && starts ? instance_list::find_held(where_) : std::nullopt;
}

// Holds no lock meanwhile: the owner takes them.
void claim::await_owner() const {
  const auto give_up = std::chrono::steady_clock::now() + longest_wait_for_owner;
  while (const auto entry = entry_of_owner()) {
    const auto found = examine_to_replace(where_, *options_.strategy);
    if (found && !found->stale()) throw already_running(where_, found->server);
    if (std::chrono::steady_clock::now() >= give_up) {
      log::warning(
          "the server of {} lives, but its files were deleted or moved; find it with: lsof {}",
          where_.directory.string(), entry->string());
      throw already_running(where_, std::nullopt);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// A server that cannot be listed is found by its directory all the same.
void claim::keep_listed() noexcept {
  if (!entry_) return;
  try {
    (void)entry_->hold();
  } catch (...) {
    if (!std::exchange(told_unlisted_, true))
      log::warning("this server is not listed: {}", exception_message());
  }
}

}  // namespace berth
