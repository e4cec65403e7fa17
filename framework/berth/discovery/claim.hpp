// The right to publish in one place: at most one claim is held there at a time, by any process,
// and the system releases it when the process ends, however it ends. Only the owner can publish,
// as often as it likes, and remove what it published. Blocks briefly on files and on changes by
// other claims; for one thread at a time. A child forked without exec shares the claim until both
// have ended.
#pragma once

#include <optional>

#include <berth/base/error.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/liveness/liveness.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

namespace berth {

/// "Another pm-server is already running on port 8080 (PID 4711). Stop it first or …"
class already_running : public error {
 public:
  already_running(const location& where, std::optional<record> server);
  /// The other server's record; nullopt if it has not published yet or its file was deleted.
  const std::optional<record>& server() const noexcept { return server_; }

 private:
  std::optional<record> server_;
};

/// The directory was removed together with its parent, so it is not created again.
class workspace_gone : public error {
 public:
  explicit workspace_gone(const location& where);
};

struct claim_options {
  claim_options() = default;
  const liveness_strategy* strategy = &default_liveness();
  bool sync = false;  ///< wait until the published file is on the disk
  /// The instance id of a live server whose file may be replaced: it notices, and hands over. No
  /// other live server's file is replaced.
  std::string replaces;
  /// Enters the server in the list of instances. Its entry also keeps others away while its
  /// directory is deleted, until intact() has reported that and publish() has created it again.
  bool listed = false;
};

class claim {
 public:
  /// Creates the directory if it is missing. Throws already_running, and changes nothing, if
  /// another server is live; throws error if the system refuses.
  explicit claim(location where, claim_options options = {});
  /// Claims and publishes in one change.
  claim(location where, const record& server, claim_options options = {});
  claim(claim&& other) noexcept;
  claim& operator=(claim&&) = delete;
  /// Removes the published file, if it is still ours.
  ~claim();

  /// Replaces the previously published file, if any; a failure leaves it as it was. Creates the
  /// directory again if it was deleted; throws workspace_gone if its parent was deleted too. If
  /// both were moved, publishes in the new place, which where() names from then on. Throws
  /// already_running if the claim was lost: both files were deleted, and another server came.
  void publish(const record& server);
  /// Whether the file and the lock file are still there and ours. Enters the server in the list
  /// again if its entry was deleted.
  bool intact();
  /// Whether the previous owner, which hands over, still holds its lock; intact() tries to take it.
  bool waits_for_owner() const noexcept { return owner_to_come_; }
  /// Removes the file, if it is still ours, and gives the claim up even if that fails. Idempotent.
  void remove();

  const location& where() const noexcept { return where_; }
  /// The stale record that an ended server had left; nullopt if there was none.
  const std::optional<record>& found_stale() const noexcept { return stale_; }

 private:
  claim(location where, const record* server, claim_options options);
  void prepare();
  void make_directory();
  bool follow();
  void change(const record* server);
  bool try_change(const record* server);
  std::optional<std::filesystem::path> entry_of_owner() const;
  void await_owner() const;
  void keep_listed() noexcept;
  void sweep();
  void own();
  void refuse_beside_another();
  bool hands_over(const record& server) const;
  void take_over(const record* server);
  bool write(const record& server);
  bool give_name(const open_file& file) const;
  bool still_published() const;

  location where_;
  claim_options options_;
  std::optional<lock_file> lock_;
  std::optional<open_file> published_;
  unsigned generation_;
  std::optional<record> stale_;
  std::optional<file_id> in_place_;                 // the port file, as it was judged
  std::optional<file_id> workspace_;                // the directory above ours
  bool owner_to_come_ = false;                      // the previous owner still holds its lock
  bool established_ = false;                        // the claim is ours: later failures keep it
  std::optional<instance_list::held_entry> entry_;  // if it is listed
  bool told_unlisted_ = false;
};

}  // namespace berth
