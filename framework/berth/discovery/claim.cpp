#include <berth/discovery/claim.hpp>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/temporary_file.hpp>
#include <berth/store/trust.hpp>
#include <berth/store/volume.hpp>

namespace berth {
namespace {

constexpr std::chrono::seconds longest_wait_to_remove{2};

/// The record's text; on a layered file system it names the volume.
std::string format_at(const std::filesystem::path& directory, const record& server) {
  std::string volume = volume_id_of(directory);
  if (volume.empty()) return format_record(server);
  record layered = server;
  layered.volume = std::move(volume);
  return format_record(layered);
}

/// Gives the claim up while the mutation lock is held, unless it was kept: a process that was
/// refused must not cause the next one to be refused.
class owner_guard {
 public:
  explicit owner_guard(lock_file& lock, bool keeps) : lock_(lock), kept_(keeps) {}
  owner_guard(const owner_guard&) = delete;
  owner_guard& operator=(const owner_guard&) = delete;
  ~owner_guard() {
    if (!kept_) lock_.unlock(lock_range::owner);
  }
  void keep() noexcept { kept_ = true; }

 private:
  lock_file& lock_;
  bool kept_;
};

/// The parent of `directory`; if that is a link, its target.
std::filesystem::path workspace_of(const std::filesystem::path& directory) {
  return directory.parent_path() / ".";
}

}  // namespace

claim::claim(location where, claim_options options)
    : claim(std::move(where), nullptr, std::move(options)) {}

claim::claim(location where, const record& server, claim_options options)
    : claim(std::move(where), &server, std::move(options)) {}

claim::claim(location where, const record* server, claim_options options)
    : where_(std::move(where)), options_(std::move(options)), generation_(fork_generation()) {
  if (options_.listed) entry_.emplace(where_);
  change(server);
  established_ = true;
  if (owner_to_come_) take_over(server);
}

claim::claim(claim&& other) noexcept
    : where_(std::move(other.where_)),
      options_(std::move(other.options_)),
      lock_(std::exchange(other.lock_, std::nullopt)),
      published_(std::exchange(other.published_, std::nullopt)),
      generation_(other.generation_),
      stale_(std::move(other.stale_)),
      in_place_(other.in_place_),
      workspace_(other.workspace_),
      owner_to_come_(other.owner_to_come_),
      established_(other.established_),
      entry_(std::exchange(other.entry_, std::nullopt)),
      told_unlisted_(other.told_unlisted_) {}

claim::~claim() {
  try {
    remove();
  } catch (...) {
    // Closing the files releases our locks, so the next reader finds the port file stale.
    log_ignored_exception("removing the port file");
  }
}

// Retries as long as another process keeps deleting the files.
void claim::change(const record* server) {
  constexpr int most = 1000;
  for (int turn = 0; turn < most; ++turn) {
    try {
      prepare();
      if (try_change(server)) return;
      await_owner();
    } catch (const workspace_gone&) {
      throw;
    } catch (const error& failed) {
      // Creating a file fails with ENOENT only if its directory has just been removed.
      if (failed.code() != std::errc::no_such_file_or_directory) throw;
      if (turn + 1 == most) throw;
    }
  }
  throw error(fmt::format("the files in {} are deleted again and again by another process",
                          where_.directory.string()),
              std::make_error_code(std::errc::resource_unavailable_try_again));
}

/// Returns false if another process deleted a file that the change relies on.
bool claim::try_change(const record* server) {
  const mutation_guard guard(*lock_);
  owner_guard claimed(*lock_, established_);
  own();
  if (entry_of_owner()) return false;
  if (lock_->is_new()) sweep();
  in_place_.reset();
  if (still_published())
    in_place_ = published_->status().id;
  else
    refuse_beside_another();
  if (entry_ && !workspace_) workspace_ = identify(workspace_of(where_.directory));
  keep_listed();
  if (server && !write(*server)) return false;
  if (server && entry_) entry_->announce();
  claimed.keep();
  return true;
}

// If it fails, the lock file still counts as new, and the next owner sweeps again.
void claim::sweep() {
  try {
    remove_temporary_files(where_);
    lock_->mark();
  } catch (const error&) {
    log_ignored_exception("removing temporary files");
  }
}

// Taking a lock that we hold already succeeds; if the lock file was deleted and created again, this
// takes the lock of the new one. The process that holds the published port file, locked, is the
// owner, whatever else is locked: the previous owner may be halted.
void claim::own() {
  if (lock_->try_lock(lock_range::owner)) {
    owner_to_come_ = false;
    return;
  }
  if ((owner_to_come_ && published_) || still_published()) {
    owner_to_come_ = true;
    return;
  }
  const auto found = examine_to_replace(where_, *options_.strategy);
  const bool live = found && !found->stale();
  owner_to_come_ = live && hands_over(found->server);
  if (owner_to_come_) return;
  throw already_running(where_, live ? std::optional(found->server) : std::nullopt);
}

bool claim::hands_over(const record& server) const {
  return !options_.replaces.empty() && server.instance_id == options_.replaces;
}

// The server that hands over releases its lock when it sees our file in place of its own. Until
// then, even if it never does, the lock on our file keeps others away; if that file is deleted,
// another server may come in between and take the lock that we wait for.
void claim::take_over(const record* server) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    owner_to_come_ = !lock_->try_lock(lock_range::owner);
    if (server && !still_published()) change(server);
    if (!owner_to_come_ || std::chrono::steady_clock::now() >= give_up) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// A server whose lock file was deleted, or one that does not lock at all, may be alive.
void claim::refuse_beside_another() {
  auto found = examine_to_replace(where_, *options_.strategy);
  if (!found) return;
  in_place_ = found->file;
  if (!found->stale() && hands_over(found->server)) return;
  if (!found->stale()) throw already_running(where_, found->server);
  if (found->server.pid != 0) stale_ = std::move(found->server);
  remove_temporary_files(where_);  // left by a killed process
}

void claim::prepare() {
  make_directory();
  if (lock_)
    lock_->refresh();
  else
    lock_.emplace(where_.lock_file());
}

// If the parent directory is gone or is another one, both directories were moved, in which case our
// files are still in ours, or there is no workspace to publish for any more.
void claim::make_directory() {
  if (!established_ || still_published()) return prepare_directory(where_.directory);
  const auto above = identify(workspace_of(where_.directory));
  if (above && (!workspace_ || above == workspace_))
    return prepare_directory(where_.directory, parents::must_exist);
  if (entry_) entry_->let_go();
  if (follow()) return check_named_directory(where_.directory);
  if (lock_->is_linked())
    throw error(fmt::format("{} was moved away: clients find its server at the new place only",
                            where_.directory.parent_path().string()),
                std::make_error_code(std::errc::resource_unavailable_try_again));
  throw workspace_gone(where_);
}

/// Goes on in the place to which a directory above ours was moved. Another server may start at the
/// old one.
bool claim::follow() {
  const auto now = lock_->find();
  if (!now || now->parent_path().filename() != where_.directory.filename()) return false;
  where_.directory = now->parent_path();
  lock_->follow(where_.lock_file());
  workspace_.reset();
  if (entry_) entry_.emplace(where_);
  return true;
}

void claim::publish(const record& server) { change(&server); }

bool claim::write(const record& server) {
  const std::string text = format_at(where_.directory, server);
  temporary_file temporary(where_, lock_->id());
  open_file& file = temporary.file();
  if (!file.try_lock(lock_range::owner))
    throw error(std::make_error_code(std::errc::no_lock_available), "lock", file.path().string());
  file.write(text);
  if (options_.sync) file.sync();
  if (!give_name(file)) return false;
  published_.emplace(temporary.release());
  return true;
}

// A process that locks a replacement of our lock file removes our temporary file before it examines
// the port file (see sweep). Our lock file was still there after the temporary file was created, so
// the rename either precedes that examination or fails.
bool claim::give_name(const open_file& file) const {
  const auto path = where_.port_file();
  if (!lock_->still_there()) return false;
  if (!in_place_) return rename_new(file.path(), path);
  const name_lock taken(path, *in_place_, lock_file::usual_wait);
  return taken.held() && rename_over(file.path(), path);
}

bool claim::still_published() const {
  return published_ && identify(where_.port_file()) == published_->status().id;
}

bool claim::intact() {
  if (!workspace_) workspace_ = identify(workspace_of(where_.directory));
  if (!lock_) return false;
  if (owner_to_come_) owner_to_come_ = !lock_->try_lock(lock_range::owner);
  if (!lock_->still_there() || !still_published()) return false;
  keep_listed();
  return true;
}

// The locks are released whatever fails: readers take an unlocked file for stale, and a server that
// stops does not wait twice for a halted process.
void claim::remove() {
  if (!lock_) return;
  struct give_up {
    claim& owned;
    ~give_up() {
      owned.entry_.reset();
      owned.published_.reset();
      owned.lock_.reset();
    }
  } at_the_end{*this};
  if (generation_ != fork_generation() || !still_published()) return;
  const mutation_guard guard(*lock_, longest_wait_to_remove);
  if (still_published()) {
    const name_lock taken(where_.port_file(), published_->status().id, longest_wait_to_remove);
    if (taken.held()) remove_file(where_.port_file());
  }
  if (entry_) entry_->remove();
  lock_->unlock(lock_range::owner);
}

}  // namespace berth
