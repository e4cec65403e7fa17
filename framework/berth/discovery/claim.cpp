#include <berth/discovery/claim.hpp>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <berth/discovery/port_file.hpp>
#include <berth/discovery/process.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/trust.hpp>

namespace berth {
namespace {

std::string refusal(const location& where, const std::optional<record>& server) {
  const std::string who = server ? fmt::format(" on port {} (PID {})", server->port, server->pid)
                                 : fmt::format(" in {}", where.directory.string());
  return fmt::format(
      "Another {} is already running{}. Stop it first or use a different config directory.",
      where.server_name(), who);
}

// Only who holds the mutation lock makes this file, and its name tells which lock that is: what
// has the name already was left by a process that ended in between.
open_file create_temporary(const location& where, const lock_file& lock) {
  const auto path = where.directory / fmt::format(".{}.{}.tmp", where.instance, lock.id());
  for (;;) {
    if (auto made = open_file::to_create(path)) return std::move(*made);
    remove_file(path);
  }
}

/// Removes a file that was not renamed in the end.
class temporary_guard {
 public:
  explicit temporary_guard(const open_file& file) : path_(file.path()) {}
  temporary_guard(const temporary_guard&) = delete;
  temporary_guard& operator=(const temporary_guard&) = delete;
  ~temporary_guard() {
    if (path_.empty()) return;
    try {
      remove_file(path_);
    } catch (const error&) {
      // The next publish meets the file and removes it.
    }
  }
  void keep() noexcept { path_.clear(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

already_running::already_running(const location& where, std::optional<record> server)
    : error(refusal(where, server), std::make_error_code(std::errc::device_or_resource_busy)),
      server_(std::move(server)) {}

claim::claim(location where, claim_options options) : claim(std::move(where), nullptr, options) {}

claim::claim(location where, const record& server, claim_options options)
    : claim(std::move(where), &server, options) {}

claim::claim(location where, const record* server, claim_options options)
    : where_(std::move(where)), options_(options), generation_(fork_generation()) {
  prepare_directory(where_.directory);
  lock_.emplace(where_.lock_file());
  {
    const mutation_guard guard(*lock_);
    own();
    refuse_beside_another();
    if (server) write(*server);
  }
  if (owner_to_come_) take_over();
}

claim::claim(claim&& other) noexcept
    : where_(std::move(other.where_)),
      options_(other.options_),
      lock_(std::exchange(other.lock_, std::nullopt)),
      published_(std::exchange(other.published_, std::nullopt)),
      generation_(other.generation_),
      stale_(std::move(other.stale_)),
      stale_in_place_(other.stale_in_place_),
      owner_to_come_(other.owner_to_come_) {}

claim::~claim() {
  try {
    remove();
  } catch (const error&) {
    // Our locks go with us, so whoever reads the file next finds it stale.
  }
}

// Taking a lock that we hold already succeeds; after the lock file was deleted and made anew, this
// takes the new one's.
void claim::own() {
  if (lock_->try_lock(lock_range::owner)) return;
  const auto found = examine(where_, *options_.strategy);
  owner_to_come_ = found && !found->stale() && hands_over(found->server);
  if (owner_to_come_) return;
  throw already_running(where_, found ? std::optional(found->server) : std::nullopt);
}

bool claim::hands_over(const record& server) const {
  return !options_.replaces.empty() && server.instance_id == options_.replaces;
}

// Who hands over lets its lock go when it sees our file in the place of its own. Until then, and if
// it does not see it at all, the lock on our file keeps others away.
void claim::take_over() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!lock_->try_lock(lock_range::owner) && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  owner_to_come_ = false;
}

// The owner of a lock file that was deleted, or a writer that does not lock, may be alive.
void claim::refuse_beside_another() {
  auto found = examine(where_, *options_.strategy);
  if (!found) return;
  if (!found->stale() && hands_over(found->server)) return;
  if (!found->stale()) throw already_running(where_, found->server);
  stale_ = std::move(found->server);
  stale_in_place_ = true;
}

void claim::publish(const record& server) {
  prepare_directory(where_.directory);
  const mutation_guard guard(*lock_);
  own();
  if (!still_published()) refuse_beside_another();
  write(server);
}

void claim::write(const record& server) {
  const std::string text = format_record(server);
  const auto path = where_.port_file();
  open_file file = create_temporary(where_, *lock_);
  temporary_guard guard(file);
  if (!file.try_lock(lock_range::owner))
    throw error(std::make_error_code(std::errc::no_lock_available), "lock", file.path().string());
  file.write(text);
  if (options_.sync) file.sync();
  // ext4 starts to write a file back when it is renamed over another (auto_da_alloc), which takes
  // five times as long. A stale file stands for none, so it can go first.
  if (std::exchange(stale_in_place_, false)) remove_file(path);
  rename_over(file.path(), path);
  guard.keep();
  published_.emplace(std::move(file));
}

bool claim::still_published() const {
  return published_ && identify(where_.port_file()) == published_->status().id;
}

bool claim::intact() const { return lock_ && lock_->still_there() && still_published(); }

void claim::remove() {
  if (!lock_) return;
  if (generation_ == fork_generation()) {
    const mutation_guard guard(*lock_);
    if (still_published()) remove_file(where_.port_file());
  }
  published_.reset();
  lock_.reset();
}

}  // namespace berth
