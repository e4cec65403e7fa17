#include <berth/client/ensure.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/client/async.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/client/started_command.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/discovery/hand_over.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/discovery/start_request.hpp>
#include <berth/io/environment_list.hpp>
#include <berth/io/offload.hpp>
#include <berth/liveness/process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/trust.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// The lock file with the starter lock held; nullopt if another process holds it.
std::optional<lock_file> try_to_start(const location& where) {
  prepare_directory(where.directory);
  lock_file lock(where.lock_file());
  if (!lock.try_lock(lock_range::starter)) return std::nullopt;
  return lock;
}

/// The live server. An invalid file that nobody locks names none, and is removed.
task<result<record>> live_server(const location& where) {
  try {
    auto found = co_await async::read_live(where);
    co_return found;
  } catch (const invalid_port_file&) {
    log_ignored_exception("looking for a live server");
  }
  auto clean = [&where] { return remove_stale_or_invalid(where); };
  const auto removed = co_await offload(std::move(clean));
  if (!removed) co_return removed.failure();
  auto found = co_await async::read_live(where);  // throws if the invalid file had to stay
  co_return found;
}

/// Waits until a server other than `instance_id` is live at `where`.
task<result<record>> wait_live_but(location where, std::string instance_id, deadline until) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  const auto look = [&where] { return async::read_live(where); };
  const auto is_another = [&instance_id](const result<record>& server) {
    return server && (instance_id.empty() || server->instance_id != instance_id);
  };
  auto server = co_await look_until(watch, look, is_another, until);
  co_return server;
}

start_log log_of(const location& where, const ensure_options& options) {
  if (!options.log.empty()) return {options.log, true};
  return {where.directory / (where.instance + ".log")};
}

/// One start of the command, under the starter lock.
class start {
 public:
  /// `replaced` is the instance id of the live server to replace; empty if there is none.
  start(location where, std::vector<std::string> command, ensure_options options, deadline until,
        std::string replaced = {})
      : where_(std::move(where)),
        command_(std::move(command)),
        options_(std::move(options)),
        until_(until),
        replaced_(std::move(replaced)),
        log_(log_of(where_, options_)) {}

  task<result<record>> run() {
    auto opening = [this] {
      log_.roll();
      return log_.size();
    };
    const auto begun = co_await offload(std::move(opening));
    if (!begun) co_return begun.failure();
    log_begin_ = *begun;
    const auto here = co_await current_context();
    started_command child(event_loop::of(here), command_, what_to_start());
    std::exception_ptr failed;
    try {
      auto published = co_await until_published(child);
      if (published) {
        co_await shield(child.leave());
        co_return published;
      }
      co_await shield(child.end_unless_published());
      if (!published.timed_out()) co_return published;
      auto late = co_await shield(published_meanwhile());
      if (late) co_return late;
    } catch (...) {
      failed = std::current_exception();
    }
    if (failed) {
      co_await shield(child.end());
      std::rethrow_exception(failed);
    }
    throw start_failed(fmt::format("{} had not published {} in time, and was ended{}{}", name(),
                                   where_.port_file().string(), advice(), log_text()),
                       std::make_error_code(std::errc::timed_out), log_lines());
  }

 private:
  const std::string& name() const { return command_.front(); }

  started_command_options what_to_start() const {
    const start_request request{std::filesystem::absolute(where_.port_file()), replaced_,
                                std::filesystem::absolute(log_.path)};
    return {where_, log_, options_.directory,
            environment_with(request,
                             options_.environment ? *options_.environment : our_environment())};
  }

  task<result<record>> until_published(started_command& child) {
    auto first = co_await when_any(wait_live_but(where_, replaced_, until_), child.ended());
    if (first.index() == 1) {
      auto other = co_await after_end(std::get<1>(first));
      co_return other;
    }
    auto& published = std::get<0>(first);
    if (published && !will_do(published->version, options_))
      throw start_failed(fmt::format("{} published version {}, which does not satisfy the caller",
                                     name(), published->version),
                         std::make_error_code(std::errc::protocol_error));
    co_return std::move(published);
  }

  /// The command may have ended because it found another server, started by hand: use that one.
  task<result<record>> after_end(result<exit_status> how) {
    if (!how) co_return how.failure();
    auto found = co_await published_meanwhile();
    if (found || !found.absent()) co_return found;
    const std::string end = how->signal ? fmt::format("was ended by signal {}", how->signal)
                                        : fmt::format("exited with status {}", how->code);
    const bool succeeded = how->signal == 0 && how->code == 0;
    throw start_failed(
        fmt::format("{} {} before it published {}{}{}", name(), end, where_.port_file().string(),
                    succeeded ? advice() : std::string(), log_text()),
        std::make_error_code(std::errc::no_child_process), log_lines());
  }

  /// A server that satisfies the caller, other than the one to replace.
  task<result<record>> published_meanwhile() {
    auto found = co_await async::read_live(where_);
    if (!found) co_return found;
    const bool another = replaced_.empty() || found->instance_id != replaced_;
    if (!another || !will_do(found->version, options_)) co_return failure::absent();
    co_return found;
  }

  std::string advice() const {
    return fmt::format(
        ". Is it a service made with berth? If it is not: berth ensure -- berth announce --port "
        "PORT -- {} ...",
        name());
  }

  std::string log_lines() const { return log_.tail(log_begin_); }

  std::string log_text() const {
    return fmt::format("; its log {} {}", log_.path.string(),
                       log_lines().empty() ? "is empty" : "ends:");
  }

  location where_;
  std::vector<std::string> command_;
  ensure_options options_;
  deadline until_;
  std::string replaced_;
  start_log log_;
  std::uintmax_t log_begin_ = 0;
};

/// What a caller of ensure may do now: use the live server, or start one under the starter lock, in
/// place of the live one if that will not do. Undecided while another process starts one.
struct start_turn {
  std::optional<record> live;
  bool usable = false;  // the live server will do
  std::optional<lock_file> starting;

  bool decided() const noexcept { return usable || starting; }
};

task<result<start_turn>> look_for_server(const location& where, const ensure_options& options) {
  auto live = co_await live_server(where);
  if (!live && !live.absent()) co_return live.failure();
  start_turn turn;
  if (live) turn.live = std::move(*live);
  turn.usable = turn.live && will_do(turn.live->version, options);
  if (turn.live && !turn.usable) check_not_contested(where, *turn.live, options);
  co_return turn;
}

task<result<start_turn>> take_turn(const location& where, const ensure_options& options,
                                   deadline until) {
  const auto here = co_await current_context();
  auto turn = co_await look_for_server(where, options);
  if (!turn || turn->usable) co_return turn;
  if (until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);
  auto job = [&where] { return try_to_start(where); };
  auto starting = co_await offload(std::move(job));
  if (!starting) co_return starting.failure();
  if (!*starting) co_return turn;
  turn = co_await look_for_server(where, options);  // the previous holder may have started it
  if (!turn || turn->usable) co_return turn;
  if (until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);
  turn->starting = std::move(*starting);
  co_return turn;
}

// Nothing reports that the process that starts the server was killed: check from time to time.
task<result<start_turn>> wait_for_turn(const location& where, const ensure_options& options,
                                       deadline until) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  const auto look = [&] { return take_turn(where, options, until); };
  const auto decided = [](const result<start_turn>& turn) { return turn && turn->decided(); };
  auto turn = co_await look_until(watch, look, decided, until, 50ms);
  co_return turn;
}

void check_command(const std::vector<std::string>& command) {
  if (command.empty() || command.front().empty()) throw invalid_value("the command is empty");
}

}  // namespace

task<result<record>> replace(location where, std::vector<std::string> command,
                             ensure_options options) {
  check_command(command);
  const auto until = deadline::after(options.timeout);
  auto found = co_await live_server(where);
  if (found.absent()) {
    auto started = co_await ensure(std::move(where), std::move(command), std::move(options));
    co_return started;
  }
  if (!found) co_return found;
  const record old = std::move(*found);
  check_hands_over(old);
  auto job = [&where] { return try_to_start(where); };
  const auto starting = co_await offload(std::move(job));
  if (!starting) co_return starting.failure();
  if (!*starting)
    throw error("another process is starting or replacing the server; try again when it is done",
                std::make_error_code(std::errc::device_or_resource_busy));
  start one(std::move(where), std::move(command), std::move(options), until, old.instance_id);
  auto started = co_await one.run();
  if (!started) co_return started;
  const auto drained = co_await async::wait_ended(old, until);
  if (!drained) co_return drained.failure();
  co_return started;
}

task<result<record>> ensure(location where, std::vector<std::string> command,
                            ensure_options options) {
  check_command(command);
  const auto until = deadline::after(options.timeout);
  auto turn = co_await take_turn(where, options, until);
  if (turn && !turn->decided()) {
    turn = co_await wait_for_turn(where, options, until);
  }
  if (!turn) co_return turn.failure();
  if (turn->usable) co_return std::move(*turn->live);
  if (turn->live) {
    ask_to_end(*turn->live, where);
    const auto gone = co_await async::wait_gone(where, until);
    if (!gone) co_return gone.failure();
  }
  start one(std::move(where), std::move(command), std::move(options), until);
  auto started = co_await one.run();
  co_return started;
}

}  // namespace berth
