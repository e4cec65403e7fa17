// Whether the server of a record still lives, and how that is known. A strategy is asked when a
// port file is read; only `dead` makes a file stale, and `unknown` counts as live. Strategies hold
// no state that changes, and are asked from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <berth/discovery/file_lock.hpp>
#include <berth/discovery/record.hpp>

namespace berth {

enum class liveness { alive, dead, unknown };

std::string_view to_string(liveness state) noexcept;

/// A judgement, with its reason in words: "pid 4711 is a zombie".
struct verdict {
  liveness state = liveness::unknown;
  std::string reason;
};

/// What a strategy judges by.
struct evidence {
  const record& server;
  lock_state lock = lock_state::unknown;  ///< of the file that the record was read from
};

class liveness_strategy {
 public:
  virtual ~liveness_strategy() = default;
  virtual verdict judge(const evidence& found) const = 0;
};

/// The kernel's lock on the file: sure of a writer that locks, for as long as the system runs.
class lock_liveness final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// The process of that pid, and whether it is the same one still. One file a platform.
class process_liveness final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// The port itself: alive where it accepts, dead where it is refused, unknown otherwise and for the
/// servers of other machines. Mind that a server in a network namespace of its own is refused from
/// outside, and that another program may have the port by now: for servers that neither lock nor
/// have a process here, behind what knows more.
class connect_liveness final : public liveness_strategy {
 public:
  explicit connect_liveness(std::chrono::milliseconds longest = std::chrono::milliseconds(200))
      : longest_(longest) {}
  verdict judge(const evidence& found) const override;

 private:
  std::chrono::milliseconds longest_;
};

/// For platforms that can tell nothing.
class always_alive final : public liveness_strategy {
 public:
  verdict judge(const evidence& found) const override;
};

/// Asks one after the other until one is sure.
class liveness_chain final : public liveness_strategy {
 public:
  explicit liveness_chain(std::vector<std::shared_ptr<const liveness_strategy>> strategies)
      : strategies_(std::move(strategies)) {}
  verdict judge(const evidence& found) const override;

 private:
  std::vector<std::shared_ptr<const liveness_strategy>> strategies_;
};

/// What the build chose: the lock and then the process, or always alive.
const liveness_strategy& default_liveness() noexcept;

}  // namespace berth
