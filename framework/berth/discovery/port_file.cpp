#include <berth/discovery/port_file.hpp>

#include <thread>

#include <berth/discovery/file_text.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/record_plain.hpp>

namespace berth {
namespace {

/// The port file, if there is one. Where replacing it leaves a moment without, somebody holds the
/// mutation lock in that moment: what is missing twice and changed by nobody is not there.
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

/// `into` is as new.
void read_record(const open_file& file, const file_status& status, read_mode how, record& into) {
  const std::string_view text = read_text(file, status, how);
  if (parse_plain_record(text, into)) return;
  try {
    into = parse_record(text);
  } catch (const invalid_record& invalid) {
    throw invalid_port_file(file.path(), invalid.what());
  }
}

/// False where there is no file. What is found is written where it is to stay: to move a record
/// costs as much as to parse one.
bool look(const location& where, const liveness_strategy& strategy, read_mode how, record& server,
          verdict& judged, file_id& id) {
  for (;;) {
    const auto file = open_port_file(where, how);
    if (!file) return false;
    const file_status status = file->status();
    read_record(*file, status, how, server);
    judged = strategy.judge({server, file->query(lock_range::owner)});
    id = status.id;
    // Between opening and asking for the lock, the server may have published a new file.
    if (judged.state != liveness::dead || identify(where.port_file()) == id) return true;
    server = record();
  }
}

}  // namespace

std::optional<record> read(const location& where, read_mode how) {
  const auto file = open_port_file(where, how);
  if (!file) return std::nullopt;
  std::optional<record> server(std::in_place);
  read_record(*file, file->status(), how, *server);
  return server;
}

std::optional<finding> examine(const location& where, const liveness_strategy& strategy,
                               read_mode how) {
  std::optional<finding> found(std::in_place);
  if (!look(where, strategy, how, found->server, found->judged, found->file)) found.reset();
  return found;
}

std::optional<record> remove_stale(const location& where, const liveness_strategy& strategy) {
  lock_file lock(where.lock_file());
  if (!lock.try_lock_mutation()) return std::nullopt;
  const auto found = examine(where, strategy);
  if (!found || !found->stale()) return std::nullopt;
  remove_file(where.port_file());
  return found->server;
}

std::optional<record> read_live(const location& where, const liveness_strategy& strategy) {
  std::optional<record> server(std::in_place);
  verdict judged;
  file_id file;
  if (!look(where, strategy, read_mode::may_block, *server, judged, file)) server.reset();
  if (!server || judged.state != liveness::dead) return server;
  try {
    remove_stale(where, strategy);
  } catch (const error&) {
    // A directory that we may not write to keeps its stale file; there is no server all the same.
  }
  return std::nullopt;
}

}  // namespace berth
