// Decides whether the server of a record is alive. A strategy is asked when a port file is read;
// only `dead` makes a file stale, and `unknown` counts as alive. Strategies are immutable, so any
// thread may ask them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <berth/record/record.hpp>
#include <berth/store/file_lock.hpp>

namespace berth {

enum class liveness { alive, dead, unknown };

std::string_view to_string(liveness state) noexcept;

/// A judgement, with its reason in words: "pid 4711 is a zombie".
struct verdict {
  liveness state = liveness::unknown;
  std::string reason;
};

/// What a free lock proves on the file system through which the file was read.
enum class lock_view {
  direct,        ///< its holder has released it, or has ended
  same_layers,   ///< the same, unless a server publishes in one of the layers
  other_layers,  ///< nothing: the server publishes on another file system, which this one shows
  remote,        ///< nothing
};
constexpr bool hides_locks(lock_view view) noexcept {
  return view == lock_view::same_layers || view == lock_view::other_layers;
}

/// The facts that a strategy judges by.
struct evidence {
  const record& server;
  lock_state lock = lock_state::unknown;  ///< of the file that the record was read from
  lock_view view = lock_view::direct;
};

class liveness_strategy {
 public:
  virtual ~liveness_strategy() = default;
  virtual verdict judge(const evidence& found) const = 0;
};

/// The kernel's lock on the file: certain for writers that lock, as long as the system runs.
class lock_liveness final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// Whether the process with the record's pid runs, and is still the one that wrote the record.
class process_liveness final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// The port itself: alive if it accepts connections, dead if it refuses them, unknown otherwise and
/// for servers of other machines. A server in another network namespace seems to refuse, and
/// another program may have taken the port. Put it last in a chain, for servers that neither lock
/// their file nor have a process here.
class connect_liveness final : public liveness_strategy {
 public:
  explicit connect_liveness(std::chrono::milliseconds longest = std::chrono::milliseconds(200))
      : longest_(longest) {}
  verdict judge(const evidence& found) const override;

 private:
  std::chrono::milliseconds longest_;
};

/// For platforms without locks or process information.
class always_alive final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// Asks each strategy in turn until one does not answer `unknown`.
class liveness_chain final : public liveness_strategy {
 public:
  explicit liveness_chain(std::vector<std::shared_ptr<const liveness_strategy>> strategies)
      : strategies_(std::move(strategies)) {}
  verdict judge(const evidence& found) const override;

 private:
  std::vector<std::shared_ptr<const liveness_strategy>> strategies_;
};

/// The strategy chosen at build time: the lock and then the process, or always alive.
const liveness_strategy& default_liveness() noexcept;

}  // namespace berth
