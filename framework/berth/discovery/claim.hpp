// The right to publish in one place: at most one claim is held there at a time, by any process,
// and the system lets it go when the process ends, however it ends. The owner publishes through
// it as often as it likes, and removes what it published; nobody else can. Blocks briefly, on
// files and on other claims' changes; for one thread at a time. A child forked without exec
// shares the claim until both have ended.
#pragma once

#include <optional>

#include <berth/base/error.hpp>
#include <berth/discovery/liveness.hpp>
#include <berth/discovery/location.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/record.hpp>

namespace berth {

/// "Another pm-server is already running on port 8080 (PID 4711). Stop it first or …"
class already_running : public error {
 public:
  already_running(const location& where, std::optional<record> server);
  /// What the other one published; nothing where it has not yet, or its file was deleted.
  const std::optional<record>& server() const noexcept { return server_; }

 private:
  std::optional<record> server_;
};

struct claim_options {
  claim_options() = default;
  const liveness_strategy* strategy = &default_liveness();
  bool sync = false;  ///< wait until what is published is on the disk
  /// The instance id of a live server whose file is replaced, though it lives: it sees that, and
  /// hands over. Nothing else is replaced.
  std::string replaces;
};

class claim {
 public:
  /// Throws already_running where another server is live, changing nothing, and error where the
  /// system refuses. Makes the directory where it is missing.
  explicit claim(location where, claim_options options = {});
  /// Claims and publishes in one change.
  claim(location where, const record& server, claim_options options = {});
  claim(claim&& other) noexcept;
  claim& operator=(claim&&) = delete;
  /// Removes what was published, where it still is ours.
  ~claim();

  /// Replaces what was published before, if anything. A failure leaves that as it was. Throws
  /// already_running where the claim was lost: both files were deleted and another came.
  void publish(const record& server);
  /// Whether the file and the lock file are still there and ours.
  bool intact() const;
  /// Removes the file, if it still is ours, and gives the claim up. Harmless when repeated.
  void remove();

  const location& where() const noexcept { return where_; }
  /// What a server that has ended had left there; nothing where there was no file.
  const std::optional<record>& found_stale() const noexcept { return stale_; }

 private:
  claim(location where, const record* server, claim_options options);
  void own();
  void refuse_beside_another();
  bool hands_over(const record& server) const;
  void take_over();
  void write(const record& server);
  bool still_published() const;

  location where_;
  claim_options options_;
  std::optional<lock_file> lock_;
  std::optional<open_file> published_;
  unsigned generation_;
  std::optional<record> stale_;
  bool stale_in_place_ = false;
  bool owner_to_come_ = false;  // of the server that hands over
};

}  // namespace berth
