#include <berth/discovery/port_file.hpp>

#include <chrono>
#include <thread>

#include <berth/base/exception_message.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/record_plain.hpp>
#include <berth/store/file_text.hpp>
#include <berth/store/volume.hpp>

namespace berth {
namespace {

/// The port file, if there is one. On some systems the file is missing for a moment while it is
/// replaced, with the mutation lock held: it counts as missing if two tries found it so, unlocked.
std::optional<open_file> open_port_file(const location& where, read_mode how) {
  int missing = 0;
  for (int turn = 0;; ++turn) {
    auto file = open_file::to_read(where.port_file_name(), how);
    if (file || replaces_at_once || turn == 1000) return file;
    if (lock_file::query(where.lock_file(), lock_range::mutation) == lock_state::held)
      std::this_thread::yield();
    else if (++missing == 2)
      return file;
  }
}

/// Whether the file was changed within the last moments; its time has whole seconds.
bool changed_just_now(const file_status& status) {
  const auto age = std::chrono::system_clock::now() - status.modified;
  return age > std::chrono::seconds(-1) && age < std::chrono::seconds(2);
}

/// Limits how often an invalid file is read again: a writer that does not write atomically may be
/// about to complete it, unless it has not written for a while.
class second_looks {
 public:
  explicit second_looks(read_mode how) : how_(how) {}

  /// Waits a moment; returns false if the limit is reached.
  bool another(const file_status& status) {
    if (how_ == read_mode::cached) throw would_block{};
    if (++looks_ > most || !changed_just_now(status)) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    return true;
  }

 private:
  static constexpr int most = 100;
  read_mode how_;
  int looks_ = 0;
};

/// `into` must be default-constructed.
void read_record(const open_file& file, const file_status& status, read_mode how, record& into) {
  const std::string_view text = read_text(file, status, how);
  if (parse_plain_record(text, into)) return;
  try {
    into = parse_record(text);
  } catch (const invalid_record& invalid) {
    throw invalid_port_file(file.path(), invalid.what());
  }
}

/// A port file as it was found. Its record is parsed straight into the caller's object, which must
/// be default-constructed: moving a record costs as much as parsing one, and moving a file half of
/// that.
struct opened_file {
  opened_file(const location& where, read_mode how, record& into)
      : file(open_port_file(where, how)) {
    if (file) read(how, into);
    if (!fault) return;
    for (second_looks looks(how); file && fault && looks.another(status);) {
      fault.reset();
      file = open_port_file(where, how);
      if (file) read(how, into);
    }
  }

  std::optional<open_file> file;
  file_status status;
  std::optional<invalid_port_file> fault;  ///< set if a regular file holds no valid record

  void read(read_mode how, record& into) {
    status = file->status();
    try {
      read_record(*file, status, how, into);
    } catch (const invalid_port_file& found) {
      if (!status.regular) throw invalid_port_file(found, "remove it");
      fault.emplace(found);
      into = record();
    }
  }

  // Another program that writes port files may keep them locked as well.
  bool is_unlocked() const { return file->query(lock_range::owner) == lock_state::free; }

  [[noreturn]] void refuse() const {
    throw invalid_port_file(
        *fault, is_unlocked()
                    ? "no process locks it, so it names no server: remove it, or start a server, "
                      "which replaces it"
                    : "a process may have it locked, so it is left alone: end that process (lsof "
                      "names it), or use another directory");
  }
};

lock_view view_through(const open_file& file, const record& server) {
  const volume here = volume_of(file.handle());
  switch (here.kind) {
    case volume_kind::local: return lock_view::direct;
    case volume_kind::remote: return lock_view::remote;
    case volume_kind::layered: break;
  }
  return server.volume == here.id ? lock_view::same_layers : lock_view::other_layers;
}

verdict judge(const open_file& file, const record& server, const liveness_strategy& strategy) {
  const lock_state lock = file.query(lock_range::owner);
  const bool was_locked = lock == lock_state::free && !server.lock.empty();
  return strategy.judge(
      {server, lock, was_locked ? view_through(file, server) : lock_view::direct});
}

enum class invalid_files { are_errors, are_stale_if_unlocked };

/// Returns false if there is no file.
bool look(const location& where, const liveness_strategy& strategy, read_mode how,
          invalid_files invalid, record& server, verdict& judged, file_id& id) {
  for (;;) {
    const opened_file opened(where, how, server);
    if (!opened.file) return false;
    if (!opened.fault)
      judged = judge(*opened.file, server, strategy);
    else if (invalid == invalid_files::are_stale_if_unlocked && opened.is_unlocked())
      judged = {liveness::dead, "it is invalid, and no process locks it"};
    else
      opened.refuse();
    id = opened.status.id;
    // Between opening and asking for the lock, the server may have published a new file.
    if (judged.state != liveness::dead || identify(where.port_file()) == id) return true;
    server = record();
  }
}

std::optional<finding> find(const location& where, const liveness_strategy& strategy, read_mode how,
                            invalid_files invalid) {
  std::optional<finding> found(std::in_place);
  if (!look(where, strategy, how, invalid, found->server, found->judged, found->file))
    found.reset();
  return found;
}

/// Returns nullopt if nothing was removed, as when another process is changing the file.
std::optional<finding> remove_if_stale(const location& where, const liveness_strategy& strategy,
                                       invalid_files invalid) {
  lock_file lock(where.lock_file());
  if (!lock.try_lock_mutation()) return std::nullopt;
  auto found = find(where, strategy, read_mode::may_block, invalid);
  if (!found || !found->stale()) return std::nullopt;
  const name_lock taken(where.port_file(), found->file, std::chrono::seconds::zero());
  if (!taken.held()) return std::nullopt;
  remove_file(where.port_file());
  return found;
}

}  // namespace

std::optional<record> read(const location& where, read_mode how) {
  std::optional<record> server(std::in_place);
  const opened_file opened(where, how, *server);
  if (!opened.file)
    server.reset();
  else if (opened.fault)
    opened.refuse();
  return server;
}

std::optional<finding> examine(const location& where, const liveness_strategy& strategy,
                               read_mode how) {
  return find(where, strategy, how, invalid_files::are_errors);
}

std::optional<finding> examine_to_replace(const location& where,
                                          const liveness_strategy& strategy) {
  return find(where, strategy, read_mode::may_block, invalid_files::are_stale_if_unlocked);
}

std::optional<record> remove_stale(const location& where, const liveness_strategy& strategy) {
  auto removed = remove_if_stale(where, strategy, invalid_files::are_errors);
  if (!removed) return std::nullopt;
  return std::move(removed->server);
}

bool remove_stale_or_invalid(const location& where, const liveness_strategy& strategy) {
  return remove_if_stale(where, strategy, invalid_files::are_stale_if_unlocked).has_value();
}

std::optional<record> read_live(const location& where, const liveness_strategy& strategy) {
  std::optional<record> server(std::in_place);
  verdict judged;
  file_id file;
  if (!look(where, strategy, read_mode::may_block, invalid_files::are_errors, *server, judged,
            file))
    server.reset();
  if (!server || judged.state != liveness::dead) return server;
  discard_stale(where, strategy);
  return std::nullopt;
}

void discard_stale(const location& where, const liveness_strategy& strategy) {
  try {
    remove_stale(where, strategy);
  } catch (const error&) {
    log_ignored_exception("removing a stale port file");
  }
}

}  // namespace berth
