#include <berth/discovery/ensure.hpp>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>

#include <fmt/format.h>

#include <berth/coro/shield.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/lookup_watch.hpp>
#include <berth/discovery/process.hpp>
#include <berth/discovery/trust.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/environment_list.hpp>
#include <berth/io/offload.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// The numbers in "1.10.2-rc", as far as there are any.
std::vector<unsigned> numbers_of(const std::string& version) {
  std::vector<unsigned> numbers;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (;;) {
    unsigned number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) return numbers;
    numbers.push_back(number);
    if (read.ptr == end || *read.ptr != '.') return numbers;
    at = read.ptr + 1;
  }
}

/// Nothing where another process holds it.
std::optional<lock_file> try_to_start(const location& where) {
  prepare_directory(where.directory);
  lock_file lock(where.lock_file());
  if (!lock.try_lock(lock_range::starter)) return std::nullopt;
  return lock;
}

/// Where the log of this start begins.
std::uintmax_t begin_log(const std::filesystem::path& log) {
  constexpr std::uintmax_t largest = 1u << 20;
  std::error_code none;
  const auto size = std::filesystem::file_size(log, none);
  if (none) return 0;
  if (size <= largest) return size;
  std::filesystem::rename(log, log.string() + ".1", none);
  return 0;
}

std::string end_of_log(const std::filesystem::path& log, std::uintmax_t from) {
  constexpr std::uintmax_t most = 16 * 1024;
  constexpr int most_lines = 20;
  std::error_code none;
  const auto size = std::filesystem::file_size(log, none);
  if (none || size <= from) return {};
  std::ifstream file(log, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(std::max(from, size > most ? size - most : 0)));
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (text.ends_with('\n')) text.pop_back();
  auto begin = text.size();
  for (int lines = 0; lines < most_lines && begin != std::string::npos; ++lines)
    begin = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

/// Until another server is live there than that one.
task<result<record>> wait_live_but(location where, std::string instance_id, deadline until) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  for (;;) {
    auto found = co_await async::read_live(where);
    if (!found) co_return failure(found.error(), found.reason());
    if (*found && (instance_id.empty() || (*found)->instance_id != instance_id))
      co_return std::move(**found);
    const auto changed = co_await watch.changed(until);
    if (!changed) co_return failure(changed.error(), changed.reason());
  }
}

/// One start of the command, under the starter lock.
class start {
 public:
  /// `replaced` is the instance id of a live server; empty where there is none.
  start(location where, std::vector<std::string> command, ensure_options options,
        std::string replaced = {})
      : where_(std::move(where)),
        command_(std::move(command)),
        options_(std::move(options)),
        replaced_(std::move(replaced)) {
    if (options_.log.empty()) options_.log = where_.directory / (where_.instance + ".log");
  }

  task<result<record>> run() {
    auto opening = [this] { return begin_log(options_.log); };
    const auto begun = co_await offload(std::move(opening));
    if (!begun) co_return failure(begun.error(), begun.reason());
    log_begin_ = *begun;
    const auto here = co_await current_context();
    child_process child(event_loop::of(here), command_, child_of_its_own());
    auto found = co_await when_any(wait_live_but(where_, replaced_, options_.until), child.wait());
    if (found.index() == 1) {
      auto other = co_await ended(std::get<1>(found));
      co_return other;
    }
    auto& published = std::get<0>(found);
    if (published && will_do(published->version, options_)) {
      child.leave();
      co_return std::move(*published);
    }
    co_await shield(end(child));
    if (published)
      throw start_failed(
          fmt::format("{} published version {}, which will not do", name(), published->version),
          std::make_error_code(std::errc::protocol_error));
    if (published.timed_out())
      throw start_failed(fmt::format("{} had not published {} in time, and was ended{}", name(),
                                     where_.port_file().string(), log_text()),
                         std::make_error_code(std::errc::timed_out));
    co_return failure(published.error(), published.reason());
  }

 private:
  const std::string& name() const { return command_.front(); }

  child_options child_of_its_own() const {
    child_options made;
    made.input = child_options::stream::none;
    made.output = made.error = child_options::stream::log;
    made.log = options_.log;
    made.directory = options_.directory;
    made.environment = options_.environment;
    if (!replaced_.empty()) {
      if (!made.environment) made.environment = our_environment();
      made.environment->push_back(std::string(replaces_variable) + "=" + replaced_);
    }
    made.detached = true;
    return made;
  }

  /// It may have found another server, which was started by hand: that one will do.
  task<result<record>> ended(result<exit_status> how) {
    if (!how) co_return failure(how.error(), how.reason());
    auto found = co_await async::read_live(where_);
    if (!found) co_return failure(found.error(), found.reason());
    const bool another = *found && (replaced_.empty() || (*found)->instance_id != replaced_);
    if (another && will_do((*found)->version, options_)) co_return std::move(**found);
    const std::string end = how->signal ? fmt::format("was ended by signal {}", how->signal)
                                        : fmt::format("exited with status {}", how->code);
    throw start_failed(fmt::format("{} {} before it published {}{}", name(), end,
                                   where_.port_file().string(), log_text()),
                       std::make_error_code(std::errc::no_child_process));
  }

  static task<> end(child_process& child) {
    child.kill_session(SIGTERM);
    const auto in_time = co_await child.wait(deadline::after(2s));
    if (in_time) co_return;
#ifdef SIGKILL
    child.kill_session(SIGKILL);
#endif
    (void)co_await child.wait();
  }

  std::string log_text() const {
    const std::string text = end_of_log(options_.log, log_begin_);
    if (text.empty()) return fmt::format("; its log {} is empty", options_.log.string());
    return fmt::format("; its log {} ends:\n{}", options_.log.string(), text);
  }

  location where_;
  std::vector<std::string> command_;
  ensure_options options_;
  std::string replaced_;
  std::uintmax_t log_begin_ = 0;
};

}  // namespace

task<result<record>> replace(location where, std::vector<std::string> command,
                             ensure_options options) {
  auto found = co_await async::read_live(where);
  if (!found) co_return failure(found.error(), found.reason());
  if (!*found) {
    auto started = co_await ensure(std::move(where), std::move(command), std::move(options));
    co_return started;
  }
  const record old = std::move(**found);
  if (old.instance_id.empty())
    throw error(
        fmt::format("the server (pid {}) was not made with berth and cannot hand over: stop "
                    "it first",
                    old.pid),
        std::make_error_code(std::errc::not_supported));
  auto job = [&where] { return try_to_start(where); };
  const auto starting = co_await offload(std::move(job));
  if (!starting) co_return failure(starting.error(), starting.reason());
  if (!*starting)
    throw error("another process is starting or replacing the server at this moment",
                std::make_error_code(std::errc::device_or_resource_busy));
  const auto until = options.until;
  start one(std::move(where), std::move(command), std::move(options), old.instance_id);
  auto started = co_await one.run();
  if (!started) co_return started;
  const auto drained = co_await async::wait_ended(old, until);
  if (!drained) co_return failure(drained.error(), drained.reason());
  co_return started;
}

bool will_do(const std::string& version, const ensure_options& options) {
  if (!options.exact_version.empty() && version != options.exact_version) return false;
  return options.minimum_version.empty() ||
         numbers_of(version) >= numbers_of(options.minimum_version);
}

task<result<record>> ensure(location where, std::vector<std::string> command,
                            ensure_options options) {
  const auto here = co_await current_context();
  std::optional<lock_file> starting;
  std::optional<lookup_watch> watch;
  for (;;) {
    auto found = co_await async::read_live(where);
    if (!found) co_return failure(found.error(), found.reason());
    if (*found && will_do((*found)->version, options)) co_return std::move(**found);
    if (options.until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);

    if (!starting) {
      auto job = [&where] { return try_to_start(where); };
      auto taken = co_await offload(std::move(job));
      if (!taken) co_return failure(taken.error(), taken.reason());
      starting = std::move(*taken);
      if (starting) continue;  // who had the lock before may have started it: look again
      // Another starts it. If that one is killed nobody tells: see from time to time.
      if (!watch) {
        watch.emplace(event_loop::of(here), where);
        continue;
      }
      const auto see = deadline::after(here.loop->now(), 50ms);
      const auto changed = co_await watch->changed(std::min(see, options.until));
      if (!changed && changed.cancelled()) co_return failure(changed.error(), changed.reason());
      continue;
    }
    if (*found) {
      ask_to_end(**found);
      const auto gone = co_await async::wait_gone(where, options.until);
      if (!gone) co_return failure(gone.error(), gone.reason());
    }
    start one(std::move(where), std::move(command), std::move(options));
    auto started = co_await one.run();
    co_return started;
  }
}

}  // namespace berth
