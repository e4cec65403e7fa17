#include <berth/discovery/port_file.hpp>

#include <thread>

#include <berth/discovery/file_text.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/record_codec.hpp>

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

record read_record(const open_file& file, const file_status& status, read_mode how) {
  try {
    return parse_record(read_text(file, status, how));
  } catch (const invalid_record& invalid) {
    throw invalid_port_file(file.path(), invalid.what());
  }
}

finding judge(const open_file& file, const liveness_strategy& strategy, read_mode how) {
  const file_status status = file.status();
  finding found{read_record(file, status, how), {}, status.id};
  found.judged = strategy.judge({found.server, file.query(lock_range::owner)});
  return found;
}

}  // namespace

std::optional<record> read(const location& where, read_mode how) {
  const auto file = open_port_file(where, how);
  if (!file) return std::nullopt;
  return read_record(*file, file->status(), how);
}

std::optional<finding> examine(const location& where, const liveness_strategy& strategy,
                               read_mode how) {
  for (;;) {
    const auto file = open_port_file(where, how);
    if (!file) return std::nullopt;
    auto found = judge(*file, strategy, how);
    // Between opening and asking for the lock, the server may have published a new file.
    if (!found.stale() || identify(where.port_file()) == found.file) return found;
  }
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
  auto found = examine(where, strategy);
  if (!found) return std::nullopt;
  if (!found->stale()) return std::move(found->server);
  try {
    remove_stale(where, strategy);
  } catch (const error&) {
    // A directory that we may not write to keeps its stale file; there is no server all the same.
  }
  return std::nullopt;
}

}  // namespace berth
