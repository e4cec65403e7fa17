// Every awaitable, cancelled before it starts, while it waits, at the moment it completes, after
// that, and by the end of its loop. It ends once, says `cancelled` with the reason, loses nothing
// that the next wait would get, and leaves no handle. The tree test sees that no awaitable is
// missing here.
#include <berth/client/async.hpp>
#include <berth/client/change_watch.hpp>
#include <berth/client/ensure.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/client/registry_resolver.hpp>
#include <berth/client/registry_watch.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/channel.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/file.hpp>
#include <berth/io/local.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/resolve.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/io/udp.hpp>
#include <berth/liveness/this_process.hpp>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <map>
#include <mutex>

#include "support/catch.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

/// How one wait ended.
struct outcome {
  bool came = false;
  std::error_code code;
  stop_reason reason = stop_reason::none;
};

template <typename T>
outcome outcome_of(const result<T>& of) {
  return {of.has_value(), of.error(), of.reason()};
}

/// An awaitable in a situation in which it has to wait.
class row {
 public:
  explicit row(event_loop& on) : loop(on) {
    without_stop.loop = &on;
    helpers.emplace(without_stop);
  }
  row(const row&) = delete;
  row& operator=(const row&) = delete;
  virtual ~row() = default;

  virtual task<> prepare() { co_return; }
  virtual task<outcome> wait() = 0;
  /// Brings about what is waited for.
  virtual void complete() = 0;
  /// What was lost, if anything was, would be missed by another wait.
  virtual bool can_wait_again() const { return true; }
  /// Whether a stop makes it end; what must finish does not.
  virtual bool can_be_cancelled() const { return true; }
  virtual task<> tidy() {
    helpers->cancel();
    co_await helpers->join();
  }

  event_loop& loop;

 protected:
  /// The other end, beside the wait.
  void help(task<> with) { helpers->spawn(std::move(with)); }

 private:
  execution_context without_stop;
  std::optional<scope> helpers;
};

using factory = std::function<std::unique_ptr<row>(event_loop&)>;
std::map<std::string, factory>& rows() {
  static std::map<std::string, factory> all;
  return all;
}

template <typename Row>
bool add(const char* name) {
  rows()[name] = [](event_loop& loop) { return std::make_unique<Row>(loop); };
  return true;
}

// One row: a class by its members, under the name that the tree test looks for.
#define ROW(id, base, name)              \
  struct id;                             \
  const bool added_##id = add<id>(name); \
  struct id final : base
#define AWAIT(...)                           \
  task<outcome> wait() override {            \
    const auto ended = co_await __VA_ARGS__; \
    co_return outcome_of(ended);             \
  }

task<outcome> wait_for(event& of) {
  const auto ended = co_await of.wait();
  co_return outcome_of(ended);
}

ROW(event_row, row, "event::wait") {
  using row::row;
  event awaited;
  AWAIT(awaited.wait())
  void complete() override { awaited.set(); }
};

ROW(semaphore_row, row, "semaphore::acquire") {
  using row::row;
  semaphore permits{0};
  AWAIT(permits.acquire())
  void complete() override { permits.release(); }
};

ROW(mutex_row, row, "mutex::lock") {
  using row::row;
  mutex exclusive;
  std::optional<mutex::holder> held;
  task<> prepare() override {
    auto locked = co_await exclusive.lock();
    held.emplace(std::move(*locked));
  }
  AWAIT(exclusive.lock())
  void complete() override { held.reset(); }
};

ROW(latch_row, row, "latch::wait") {
  using row::row;
  latch gate{2};
  AWAIT(gate.wait())
  void complete() override { gate.count_down(2); }
};

ROW(channel_send_row, row, "channel::send") {
  using row::row;
  channel<std::string> full{1};
  task<> prepare() override {
    const auto sent = co_await full.send("fills it");
    REQUIRE(sent);
  }
  AWAIT(full.send("waits"))
  void complete() override { (void)full.try_receive(); }
};

ROW(channel_receive_row, row, "channel::receive") {
  using row::row;
  channel<std::string> empty{1};
  AWAIT(empty.receive())
  void complete() override {
    std::string value = "comes";
    (void)empty.try_send(value);
  }
};

ROW(sleep_row, row, "sleep_for") {
  using row::row;
  AWAIT(sleep_for(20ms))
  void complete() override {
    std::this_thread::sleep_for(25ms);
  }  // without the loop: it is due then
};

ROW(yield_row, row, "yield") {
  using row::row;
  AWAIT(yield())
  void complete() override {}  // it comes in the next turn of the loop
};

task<result<void>> sleep_in_scope(scope&) {
  const auto slept = co_await sleep_for(20ms);
  co_return slept;
}

ROW(with_scope_row, row, "with_scope") {
  using row::row;
  AWAIT(with_scope(&sleep_in_scope))
  void complete() override { std::this_thread::sleep_for(25ms); }
};

ROW(sleep_until_row, row, "sleep_until") {
  using row::row;
  AWAIT(sleep_until(deadline::after(20ms)))
  void complete() override { std::this_thread::sleep_for(25ms); }
};

ROW(generator_row, row, "generator::next") {
  using row::row;
  event awaited;
  static generator<outcome> outcomes(event & of) {
    for (;;) {
      const auto ended = co_await of.wait();
      co_yield outcome_of(ended);
    }
  }
  generator<outcome> stream = outcomes(awaited);
  task<outcome> wait() override {
    const auto next = co_await stream.next();
    co_return *next;
  }
  void complete() override { awaited.set(); }
};

ROW(task_row, row, "task") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await wait_for(awaited);
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(named_row, row, "named") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await named("inner", wait_for(awaited));
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(when_all_row, row, "when_all") {
  using row::row;
  event first, second;
  task<outcome> wait() override {
    const auto both = co_await when_all(first.wait(), second.wait());
    const auto one = outcome_of(std::get<0>(both)), other = outcome_of(std::get<1>(both));
    co_return one.came ? other : one;
  }
  void complete() override {
    first.set();
    second.set();
  }
};

ROW(when_all_vector_row, row, "when_all of a vector") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    std::vector<task<outcome>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(wait_for(awaited));
    const auto all = co_await when_all(std::move(tasks));
    co_return all.back();
  }
  void complete() override { awaited.set(); }
};

ROW(when_any_row, row, "when_any") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto first = co_await when_any(awaited.wait(), sleep_for(1h));
    co_return first.index() == 0 ? outcome_of(std::get<0>(first)) : outcome_of(std::get<1>(first));
  }
  void complete() override { awaited.set(); }
};

ROW(timeout_row, row, "timeout") {
  using row::row;
  event awaited;
  AWAIT(timeout(1h, awaited.wait()))
  void complete() override { awaited.set(); }
};

ROW(join_row, row, "scope::join") {
  using row::row;
  event awaited;
  static task<> note(event & of, outcome & into) {
    const auto waited = co_await of.wait();
    into = outcome_of(waited);
  }
  task<outcome> wait() override {
    const auto here = co_await current_context();
    scope tasks(here);
    outcome ended;
    tasks.spawn(note(awaited, ended));
    co_await tasks.join();
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(shield_row, row, "shield") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await shield(awaited.wait(), deadline::after(10s));
    co_return outcome_of(ended);
  }
  void complete() override { awaited.set(); }
  bool can_be_cancelled() const override { return false; }
};

// I/O.

struct connected_row : row {
  using row::row;
  std::optional<test::pair_of_streams> streams;
  std::array<std::byte, 64 * 1024> buffer{};
  task<> prepare() override {
    auto made = co_await test::connect_pair();
    streams.emplace(std::move(made));
  }
  /// Until the peer's window and all buffers on the way are full.
  task<> fill() {
    for (;;) {
      const auto sent = co_await streams->client.write_all(buffer, deadline::after(20ms));
      if (!sent) co_return;
    }
  }
  task<> read_all() {
    for (;;) {
      const auto size = co_await streams->server.read_some(buffer);
      if (!size || *size == 0) co_return;
    }
  }
};

ROW(read_row, connected_row, "stream::read_some") {
  using connected_row::connected_row;
  task<> send() {
    const auto sent = co_await streams->client.write_all("x");
    (void)sent;
  }
  AWAIT(streams->server.read_some(buffer))
  void complete() override { help(send()); }
};

ROW(write_row, connected_row, "stream::write_all") {
  using connected_row::connected_row;
  task<> prepare() override {
    co_await connected_row::prepare();
    co_await fill();
  }
  AWAIT(streams->client.write_all("x"))
  void complete() override { help(read_all()); }
};

ROW(shutdown_row, connected_row, "stream::shutdown") {
  using connected_row::connected_row;
  task<> prepare() override {
    co_await connected_row::prepare();
    co_await fill();
  }
  AWAIT(streams->client.shutdown())
  void complete() override { help(read_all()); }
  bool can_wait_again() const override { return false; }  // it was begun, and cannot be twice
};

struct listening_row : row {
  using row::row;
  tcp_listener listener{loop, test::any_port};
  std::optional<tcp_stream> other_end;
  task<> come() {
    auto connected = co_await tcp_connect(listener.bound());
    if (connected) other_end.emplace(std::move(*connected));
  }
};

ROW(accept_row, listening_row, "tcp_listener::accept") {
  using listening_row::listening_row;
  AWAIT(listener.accept())
  void complete() override { help(come()); }
};

ROW(tcp_connect_row, listening_row, "tcp_connect") {
  using listening_row::listening_row;
  AWAIT(tcp_connect(listener.bound()))
  void complete() override {}  // the kernel does
};

ROW(connect_row, listening_row, "connect") {
  using listening_row::listening_row;
  endpoint named{"localhost", listener.bound().port};
  AWAIT(connect(named))
  void complete() override {}
};

struct local_row : row {
  using row::row;
  test::temporary_directory directory;
#ifdef _WIN32
  std::filesystem::path name = "\\\\.\\pipe\\" + directory.path().filename().string();
#else
  std::filesystem::path name = directory.path() / "socket";
#endif
  local_listener listener{loop, name};
  std::optional<local_stream> other_end;
  task<> come() {
    auto connected = co_await local_connect(name);
    if (connected) other_end.emplace(std::move(*connected));
  }
};

ROW(local_accept_row, local_row, "local_listener::accept") {
  using local_row::local_row;
  AWAIT(listener.accept())
  void complete() override { help(come()); }
};

ROW(local_connect_row, local_row, "local_connect") {
  using local_row::local_row;
  AWAIT(local_connect(name))
  void complete() override {}
};

struct udp_row : row {
  using row::row;
  udp_socket one{loop, test::any_port}, other{loop, test::any_port};
  std::array<std::byte, 64> buffer{};
};

ROW(udp_receive_row, udp_row, "udp_socket::receive") {
  using udp_row::udp_row;
  task<> send() {
    const auto sent = co_await other.send(one.bound(), buffer);
    (void)sent;
  }
  AWAIT(one.receive(buffer))
  void complete() override { help(send()); }
};

ROW(udp_send_row, udp_row, "udp_socket::send") {
  using udp_row::udp_row;
  AWAIT(one.send(other.bound(), buffer))
  void complete() override {}
};

ROW(watch_row, row, "directory_watch::next") {
  using row::row;
  test::temporary_directory directory;
  directory_watch watch{loop, directory.path()};
  AWAIT(watch.next())
  void complete() override { test::write_text(directory.path() / "new", "x"); }
};

#ifndef _WIN32
ROW(signal_row, row, "signal_set::next") {
  using row::row;
  signal_set signals{loop, {SIGUSR1}};
  AWAIT(signals.next())
  void complete() override { std::raise(SIGUSR1); }
};

ROW(child_row, row, "child_process::wait") {
  explicit child_row(event_loop & on) : row(on), child(on, {"cat"}, with_pipe()) {}
  static child_options with_pipe() {
    child_options options;
    options.input = child_options::stream::piped;
    return options;
  }
  child_process child;
  AWAIT(child.wait())
  void complete() override { child.input.reset(); }
  task<> tidy() override {
    child.kill(SIGKILL);
    co_await row::tidy();
  }
};
#endif

/// Keeps all threads of the pool busy until it is opened, so that jobs wait for one.
class pool_gate {
 public:
  static constexpr int threads = 4;  // libuv's number

  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  task<> occupy() {
    auto job = [this] {
      std::unique_lock lock(mutex_);
      ++inside_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
    };
    const auto done = co_await offload(std::move(job));
    (void)done;
  }
  void await_full() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == threads; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

struct pool_row : row {
  using row::row;
  pool_gate gate;
  test::temporary_directory directory;
  std::filesystem::path path = directory.path() / "file";
  task<> prepare() override {
    test::write_text(path, "content");
    co_await prepare_more();
    for (int i = 0; i < pool_gate::threads; ++i) help(gate.occupy());
    gate.await_full();
  }
  virtual task<> prepare_more() { co_return; }
  void complete() override { gate.open(); }
  task<> tidy() override {
    gate.open();
    co_await row::tidy();
  }
};

ROW(offload_row, pool_row, "offload") {
  using pool_row::pool_row;
  int ran = 0;
  task<outcome> wait() override {
    auto job = [this] { ++ran; };
    const auto ended = co_await offload(std::move(job));
    co_return outcome_of(ended);
  }
};

ROW(resolve_row, pool_row, "resolve") {
  using pool_row::pool_row;
  endpoint named{"LocalHost", 1};  // so written, the system is asked
  task<outcome> wait() override {
    const auto ended = co_await resolve(named);
    auto how = outcome_of(ended);
    how.came = !ended.cancelled();  // a system without such a name says so: an answer as well
    co_return how;
  }
};

ROW(read_file_row, pool_row, "read_file") {
  using pool_row::pool_row;
  AWAIT(read_file(path))
};

ROW(write_file_row, pool_row, "write_file") {
  using pool_row::pool_row;
  AWAIT(write_file(path, "other"))
};

ROW(file_open_row, pool_row, "file::open") {
  using pool_row::pool_row;
  AWAIT(file::open(path))
};

struct file_row : pool_row {
  using pool_row::pool_row;
  std::optional<file> opened;
  std::array<std::byte, 16> buffer{};
  task<> prepare_more() override {
    auto made = co_await file::open(path, file_mode::write);
    opened.emplace(std::move(*made));
  }
};

ROW(file_read_row, file_row, "file::read_at") {
  using file_row::file_row;
  AWAIT(opened->read_at(0, buffer))
};

ROW(file_write_row, file_row, "file::write_at") {
  using file_row::file_row;
  AWAIT(opened->write_at(0, buffer))
};

ROW(file_size_row, file_row, "file::size") {
  using file_row::file_row;
  AWAIT(opened->size())
};

ROW(file_sync_row, file_row, "file::sync") {
  using file_row::file_row;
  AWAIT(opened->sync())
};

// Discovery.

struct discovery_row : pool_row {
  using pool_row::pool_row;
  location where{"pm", directory.path()};
  static record ours() { return describe_this_process("127.0.0.1", 8080, "1"); }
};

ROW(async_read_row, discovery_row, "async::read") {
  using discovery_row::discovery_row;
  AWAIT(async::read(where))
};

ROW(async_read_live_row, discovery_row, "async::read_live") {
  using discovery_row::discovery_row;
  AWAIT(async::read_live(where))
};

ROW(async_examine_row, discovery_row, "async::examine") {
  using discovery_row::discovery_row;
  AWAIT(async::examine(where))
};

ROW(async_acquire_row, discovery_row, "async::acquire") {
  using discovery_row::discovery_row;
  AWAIT(async::acquire(where))
};

ROW(async_publish_row, discovery_row, "async::publish") {
  using discovery_row::discovery_row;
  AWAIT(async::publish(where, ours()))
};

struct claimed_row : discovery_row {
  using discovery_row::discovery_row;
  std::optional<claim> owned;
  task<> prepare_more() override {
    owned.emplace(where, ours());
    co_return;
  }
};

ROW(async_publish_again_row, claimed_row, "async::publish of a claim") {
  using claimed_row::claimed_row;
  AWAIT(async::publish(*owned, ours()))
};

ROW(async_intact_row, claimed_row, "async::intact") {
  using claimed_row::claimed_row;
  AWAIT(async::intact(*owned))
};

ROW(async_remove_row, claimed_row, "async::remove") {
  using claimed_row::claimed_row;
  AWAIT(async::remove(*owned))
};

struct published_row : row {
  using row::row;
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  std::optional<claim> owned;
};

ROW(wait_live_row, published_row, "async::wait_live") {
  using published_row::published_row;
  AWAIT(async::wait_live(where))
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

ROW(wait_gone_row, published_row, "async::wait_gone") {
  using published_row::published_row;
  task<> prepare() override {
    owned.emplace(where, discovery_row::ours());
    co_return;
  }
  AWAIT(async::wait_gone(where))
  void complete() override { owned.reset(); }
};

#ifndef _WIN32
ROW(wait_ended_row, row, "async::wait_ended") {
  explicit wait_ended_row(event_loop & on) : row(on), child(on, {"sleep", "1000"}) {
    server.pid = static_cast<std::uint32_t>(child.pid());
  }
  child_process child;
  record server;
  AWAIT(async::wait_ended(server))
  void complete() override { child.kill(SIGKILL); }
  task<> tidy() override {
    child.kill(SIGKILL);
    co_await row::tidy();
  }
};

struct started_row : row {
  using row::row;
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  std::vector<std::string> command{BERTH_COMMAND, "--config-dir", directory.path().string(),
                                   "announce",    "--port",       "8080"};
  task<> tidy() override {
    if (const auto left = read_live(where)) {
      ask_to_end(*left, where);
      const auto ended = co_await async::wait_ended(*left, deadline::after(10s));
      REQUIRE(ended);
    }
    co_await row::tidy();
  }
};

ROW(ensure_row, started_row, "ensure") {
  using started_row::started_row;
  AWAIT(ensure(where, command))
  void complete() override {}
};

ROW(replace_row, started_row, "replace") {
  using started_row::started_row;
  AWAIT(replace(where, command))  // of none: as ensure
  void complete() override {}
  bool can_wait_again() const override { return false; }  // the second is refused by an announcer
};
#endif

ROW(resolver_changed_row, published_row, "resolver::changed") {
  using published_row::published_row;
  std::optional<resolver> servers;
  task<> prepare() override {
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, where);
  }
  AWAIT(servers->changed())
  void complete() override {
    if (owned)
      owned.reset();
    else
      owned.emplace(where, discovery_row::ours());
  }
  bool can_wait_again() const override { return false; }  // it tells what comes, not what was
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(resolver_live_row, published_row, "resolver::live") {
  using published_row::published_row;
  std::optional<resolver> servers;
  task<> prepare() override {
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, where);
  }
  AWAIT(servers->live())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(resolver_close_row, published_row, "resolver_base::close") {
  using published_row::published_row;
  task<outcome> wait() override {
    const auto here = co_await current_context();
    resolver servers(here, where);
    co_await servers.close();
    co_return outcome{true, {}, stop_reason::none};
  }
  void complete() override {}
  bool can_be_cancelled() const override { return false; }
};

ROW(change_watch_row, published_row, "change_watch::next") {
  using published_row::published_row;
  change_watch watch{loop, where.directory};
  AWAIT(watch.next())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

ROW(lookup_watch_row, published_row, "lookup_watch::changed") {
  using published_row::published_row;
  lookup_watch watch{loop, where};
  AWAIT(watch.changed())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

#ifndef _WIN32
void list_in(const std::filesystem::path& directory) {
  ::setenv("BERTH_LIST_DIR", directory.c_str(), 1);
}

ROW(registry_list_row, pool_row, "file_registry::list") {
  using pool_row::pool_row;
  file_registry files;
  task<> prepare_more() override {
    list_in(directory.path());
    co_return;
  }
  AWAIT(files.list("pm", deadline::never()))
};

struct registry_row : published_row {
  using published_row::published_row;
  file_registry files;
  void complete() override {
    owned.emplace(where, discovery_row::ours());
    REQUIRE(instance_list::held_entry(where).hold());
  }
};

ROW(registry_changed_row, registry_row, "file_registry::changed") {
  using registry_row::registry_row;
  task<> prepare() override {
    list_in(directory.path());
    const auto none = co_await files.list("pm", deadline::never());
    REQUIRE(none);
  }
  AWAIT(files.changed("pm", deadline::never()))
};

ROW(registry_watch_row, registry_row, "registry_watch::changed") {
  using registry_row::registry_row;
  registry_watch watch{files, "pm"};
  task<> prepare() override {
    list_in(directory.path());
    const auto none = co_await files.list("pm", deadline::never());
    REQUIRE(none);
  }
  AWAIT(watch.changed())
};

ROW(keep_looking_row, registry_row, "keep_looking") {
  using registry_row::registry_row;
  bool seen = false;
  task<std::optional<std::chrono::nanoseconds>> look() {
    const auto servers = co_await files.list("pm", deadline::never());
    seen = servers && !servers->empty();
    if (seen) co_return std::nullopt;
    co_return std::chrono::nanoseconds(std::chrono::seconds(60));
  }
  task<outcome> wait() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    const auto make_watch = [this] { return registry_watch(files, "pm"); };
    const auto look_once = [this] { return look(); };
    const auto report = [](const std::string&) {};
    const retry_pauses pauses{std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
    co_await keep_looking(make_watch, look_once, report, pauses);
    if (seen) co_return outcome{true, {}, stop_reason::none};
    co_return outcome{false, std::make_error_code(std::errc::operation_canceled),
                      here.stop.reason()};
  }
};

ROW(registry_resolver_changed_row, registry_row, "registry_resolver::changed") {
  using registry_row::registry_row;
  std::optional<registry_resolver> servers;
  task<> prepare() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, files, "pm");
  }
  AWAIT(servers->changed())
  bool can_wait_again() const override { return false; }  // it tells what comes, not what was
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(registry_resolver_close_row, registry_row, "registry_resolver::close") {
  using registry_row::registry_row;
  task<outcome> wait() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    registry_resolver servers(here, files, "pm");
    co_await servers.close();
    co_return outcome{true, {}, stop_reason::none};
  }
  void complete() override {}
  bool can_be_cancelled() const override { return false; }
};
#endif

// The scenarios.

/// One wait under a stop of its own.
class attempt {
 public:
  explicit attempt(row& of) : root_(of.wait(), [this] { ended_.set(); }), loop_(of.loop) {}
  void start() {
    execution_context context;
    context.loop = &loop_;
    context.stop = stop_.token();
    root_.start(context);
  }
  void stop() { stop_.request_stop(stop_reason::requested); }
  task<outcome> end() {
    const auto in_time = co_await ended_.wait(deadline::after(10s));
    REQUIRE(in_time);
    co_return root_.take();
  }

 private:
  event ended_;
  stop_source stop_;
  root_task<outcome> root_;
  event_loop& loop_;
};

void check_cancelled(const outcome& ended) {
  REQUIRE_FALSE(ended.came);
  REQUIRE(ended.code == std::errc::operation_canceled);
  REQUIRE(ended.reason == stop_reason::requested);
}

task<> check_nothing_lost(row& one, bool completed) {
  if (!one.can_wait_again()) co_return;
  attempt again(one);
  again.start();
  if (!completed) one.complete();
  const auto ended = co_await again.end();
  REQUIRE(ended.came);
}

task<> cancelled_before_start(row& one) {
  attempt first(one);
  first.stop();
  first.start();
  if (!one.can_be_cancelled()) one.complete();
  const auto ended = co_await first.end();
  if (!one.can_be_cancelled()) co_return;
  check_cancelled(ended);
  co_await check_nothing_lost(one, false);
}

task<> cancelled_while_waiting(row& one) {
  attempt first(one);
  first.start();
  first.stop();
  if (!one.can_be_cancelled()) one.complete();
  const auto ended = co_await first.end();
  if (ended.came) co_return;  // what needs not wait has come
  check_cancelled(ended);
  co_await check_nothing_lost(one, false);
}

task<> cancelled_as_it_completes(row& one, bool stop_first) {
  attempt first(one);
  first.start();
  if (stop_first) first.stop();
  one.complete();
  std::this_thread::sleep_for(
      1ms);  // the loop stands still: what completes is there when it goes on
  if (!stop_first) first.stop();
  const auto ended = co_await first.end();
  if (ended.came) co_return;
  check_cancelled(ended);
  co_await check_nothing_lost(one, true);
}

task<> cancelled_after_completion(row& one) {
  attempt first(one);
  first.start();
  one.complete();
  const auto ended = co_await first.end();
  REQUIRE(ended.came);
  first.stop();
}

task<> with(row& one, std::function<task<>(row&)> scenario) {
  co_await one.prepare();
  co_await scenario(one);
  co_await one.tidy();
}

void run_all(const std::function<task<>(row&)>& scenario) {
  for (const auto& [name, make] : rows()) {
    INFO(name);
    event_loop loop;
    {
      const auto one = make(loop);
      loop.run(with(*one, scenario));
    }
    REQUIRE(loop.open_handles().empty());
  }
}

}  // namespace

TEST_CASE("cancelled before it starts, nothing is awaited and nothing lost") {
  run_all(cancelled_before_start);
}

TEST_CASE("cancelled while it waits, a wait says so with the reason, and nothing is lost") {
  run_all(cancelled_while_waiting);
}

TEST_CASE("cancelled at the moment it completes, a wait ends once, with one or the other") {
  for (const bool stop_first : {false, true})
    run_all([stop_first](row& one) { return cancelled_as_it_completes(one, stop_first); });
}

TEST_CASE("cancelled after it has completed, a wait has what came") {
  run_all(cancelled_after_completion);
}

TEST_CASE("a loop that is stopped ends every wait with its reason") {
  for (const auto& [name, make] : rows()) {
    INFO(name);
    event_loop loop;
    {
      const auto one = make(loop);
      if (!one->can_be_cancelled()) continue;
      loop.run(one->prepare());
      loop.stop(stop_reason::shutdown);
      const outcome ended = loop.run(one->wait());
      loop.run(one->tidy());
      if (!ended.came) {
        REQUIRE(ended.code == std::errc::operation_canceled);
        REQUIRE(ended.reason == stop_reason::shutdown);
      }
    }
    REQUIRE(loop.open_handles().empty());
  }
}
