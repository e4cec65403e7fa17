// <berth/berth.h>: what C, and other languages, see.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include <berth/berth.h>
#include <berth/client/ensure.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct freed {
  void operator()(berth_location* which) const { berth_location_free(which); }
  void operator()(berth_record* which) const { berth_record_free(which); }
};
using place = std::unique_ptr<berth_location, freed>;
using found = std::unique_ptr<berth_record, freed>;

/// Fails the test where the call does.
place locate(const fs::path& directory, const char* instance = nullptr) {
  berth_location* made = nullptr;
  REQUIRE(berth_locate("pm", directory.c_str(), instance, &made) == BERTH_DONE);
  return place(made);
}

found make_record(int port = 8080) {
  berth_record* made = nullptr;
  REQUIRE(berth_record_new("127.0.0.1", port, "1.2", &made) == BERTH_DONE);
  return found(made);
}

/// Removed at the end unless it was before.
struct published {
  published(const place& where, const found& record) {
    status = berth_publish(where.get(), record.get(), &kept);
    message = berth_message();
  }
  published(const published&) = delete;
  published& operator=(const published&) = delete;
  ~published() {
    if (kept) berth_remove(kept);
  }

  berth_status status;
  std::string message;
  berth_publication* kept = nullptr;
};

struct workspace {
  workspace() { ::setenv("BERTH_LIST_DIR", (runtime.path() / "berth").c_str(), 1); }
  ~workspace() { ::unsetenv("BERTH_LIST_DIR"); }

  test::temporary_directory runtime, directory;
  fs::path here = fs::canonical(directory.path());
  place where = locate(here);
};

std::string says() { return berth_message(); }

}  // namespace

TEST_CASE("what C publishes is found, with all that it says, and gone when it is removed") {
  workspace at;
  found made = make_record(8080);
  REQUIRE(berth_record_set_scheme(made.get(), "https") == BERTH_DONE);
  REQUIRE(berth_record_set_token(made.get(), "secret") == BERTH_DONE);
  REQUIRE(berth_record_set_metadata(made.get(), "team", "blue") == BERTH_DONE);
  REQUIRE(berth_record_set_endpoint(made.get(), "admin", "tcp", "::1", 9090) == BERTH_DONE);
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  REQUIRE(berth_location_port_file(at.where.get()) == (at.here / "server.json").string());

  for (auto* const look : {berth_read, berth_read_live}) {
    berth_record* server = nullptr;
    REQUIRE(look(at.where.get(), &server) == BERTH_DONE);
    REQUIRE(says().empty());
    const found kept(server);
    REQUIRE(berth_record_pid(server) == static_cast<std::uint32_t>(::getpid()));
    REQUIRE(berth_record_port(server) == 8080);
    REQUIRE(std::string(berth_record_host(server)) == "127.0.0.1");
    REQUIRE(std::string(berth_record_url(server)) == "https://127.0.0.1:8080");
    REQUIRE(std::string(berth_record_version(server)) == "1.2");
    REQUIRE(std::string(berth_record_scheme(server)) == "https");
    REQUIRE(std::string(berth_record_token(server)) == "secret");
    REQUIRE(std::string(berth_record_started_at(server)).ends_with("Z"));
    REQUIRE(std::string(berth_record_instance_id(server)).size() == 32);
    REQUIRE(std::string(berth_record_metadata(server, "team")) == "blue");
    REQUIRE(berth_record_metadata(server, "none") == nullptr);
    REQUIRE(std::string(berth_record_endpoint_url(server, "admin")) == "tcp://[::1]:9090");
    REQUIRE(berth_record_endpoint_url(server, "none") == nullptr);
  }
  REQUIRE(berth::read_live({"pm", at.here})->token == "secret");
  REQUIRE(test::run({BERTH_COMMAND, "--config-dir", at.here, "list"}).out.find(":8080") !=
          std::string::npos);

  REQUIRE(berth_check(running.kept) == BERTH_DONE);
  REQUIRE(berth_remove(std::exchange(running.kept, nullptr)) == BERTH_DONE);
  REQUIRE_FALSE(fs::exists(at.here / "server.json"));
}

TEST_CASE("from C too, one server is published at a time, and the other is named") {
  workspace at;
  const found first = make_record(8080);
  const found second = make_record(8081);
  published one(at.where, first);
  REQUIRE(one.status == BERTH_DONE);
  published other(at.where, second);
  REQUIRE(other.status == BERTH_ANOTHER_IS_LIVE);
  REQUIRE(other.kept == nullptr);
  REQUIRE(other.message == "Another pm-server is already running on port 8080 (PID " +
                               std::to_string(::getpid()) +
                               "). Stop it first or use a different config directory.");
  REQUIRE(berth::read_live({"pm", at.here})->port == 8080);
}

TEST_CASE("what C published and something deleted is published again") {
  workspace at;
  const found made = make_record();
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  fs::remove(at.here / "server.json");
  REQUIRE(test::eventually([&] { return berth::read_live({"pm", at.here}).has_value(); }));
}

TEST_CASE("a publication that lost its place to another server says so") {
  workspace at;
  const found made = make_record();
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  REQUIRE(berth_check(running.kept) == BERTH_DONE);
  // Both files vanish at once, with their directory, and another server has it before we look.
  const fs::path aside = at.here.string() + ".aside";
  fs::create_directory(aside);
  fs::permissions(aside, fs::perms::owner_all);
  std::optional<berth::claim> other;
  other.emplace(berth::location("pm", aside), berth::describe_this_process("127.0.0.1", 9999, "2"));
  const fs::path gone = at.here.string() + ".gone";
  fs::rename(at.here, gone);
  fs::rename(aside, at.here);
  REQUIRE(test::eventually([&] { return berth_check(running.kept) == BERTH_ANOTHER_IS_LIVE; }));
  berth_check(running.kept);
  REQUIRE_THAT(says(), Catch::Contains("already running on port 9999"));
  REQUIRE(berth_remove(std::exchange(running.kept, nullptr)) == BERTH_DONE);
  REQUIRE(fs::exists(at.here / "server.json"));
  other.reset();
  fs::remove_all(gone);
}

TEST_CASE("where there is no server C is told so, and what is wrong with a file") {
  workspace at;
  auto* server = reinterpret_cast<berth_record*>(&at);
  REQUIRE(berth_read(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE(server == nullptr);
  const auto path = (at.here / "server.json").string();
  REQUIRE(says() == "No running pm-server found (checked " + path + ")");
  REQUIRE(berth_read_live(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);

  test::write_text(path, "{\"pid\": 1}");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  for (auto* const look : {berth_read, berth_read_live, berth_remove_stale}) {
    REQUIRE(look(at.where.get(), &server) == BERTH_INVALID_FILE);
    REQUIRE_THAT(says(), Catch::Contains(path) && Catch::Contains("\"port\" is missing"));
  }
}

TEST_CASE("a stale file is removed by C, which gives what it said") {
  workspace at;
  test::process ended({BERTH_COMMAND, "announce", "--config-dir", at.here, "--port", "8080"});
  berth_record* server = nullptr;
  REQUIRE(berth_wait(at.where.get(), 20000, &server) == BERTH_DONE);
  berth_record_free(server);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  ended.signal(SIGKILL);
  ended.wait();
  REQUIRE(berth_read(at.where.get(), &server) == BERTH_DONE);
  berth_record_free(server);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_DONE);
  REQUIRE(berth_record_port(server) == 8080);
  berth_record_free(server);
  REQUIRE_FALSE(fs::exists(at.here / "server.json"));
}

TEST_CASE("a wait in C ends with the server that comes, or in time") {
  workspace at;
  berth_record* server = nullptr;
  REQUIRE(berth_wait(at.where.get(), 20, &server) == BERTH_TIMED_OUT);
  REQUIRE(server == nullptr);
  REQUIRE(says() == "No running pm-server appeared in time (watched " +
                        (at.here / "server.json").string() + ")");
  std::atomic<bool> waited = false;
  std::thread later([&] {
    const found made = make_record(8081);
    published running(at.where, made);
    test::eventually([&] { return waited.load(); });
  });
  berth_record* seen = nullptr;
  const auto status = berth_wait(at.where.get(), 20000, &seen);
  waited = true;
  later.join();
  REQUIRE(status == BERTH_DONE);
  REQUIRE(berth_record_port(seen) == 8081);
  berth_record_free(seen);
}

namespace {

volatile sig_atomic_t children_seen = 0;
void see_child(int) { children_seen = 1; }

}  // namespace

TEST_CASE("C gets the server that is there, or the one that it starts; handlers stay") {
  workspace at;
  struct sigaction mine = {}, after = {};
  mine.sa_handler = see_child;
  sigaction(SIGCHLD, &mine, nullptr);
  const char* const command[] = {PM_SERVER, "--config-dir", at.here.c_str(), nullptr};
  berth_record* server = nullptr;
  const auto status = berth_ensure(at.where.get(), command, nullptr, 20000, &server);
  INFO(says());
  REQUIRE(status == BERTH_DONE);
  const found first(server);
  sigaction(SIGCHLD, nullptr, &after);
  REQUIRE(after.sa_handler == see_child);

  const char* const never[] = {"/nonexistent", nullptr};
  REQUIRE(berth_ensure(at.where.get(), never, "0.0.1", 20000, &server) == BERTH_DONE);
  const found again(server);
  REQUIRE(berth_record_pid(again.get()) == berth_record_pid(first.get()));

  ::kill(static_cast<pid_t>(berth_record_pid(first.get())), SIGTERM);
  const auto ended = [&] {
    const auto now = berth::status_of_process(berth_record_pid(first.get()));
    return now.state != berth::process_state::running;
  };
  REQUIRE(test::eventually(ended));
  mine.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &mine, nullptr);
}

TEST_CASE("a start that fails has its status in C, and the end of its log") {
  workspace at;
  berth_record* server = nullptr;
  const char* const fails[] = {"sh", "-c", "echo no luck; exit 4", nullptr};
  REQUIRE(berth_ensure(at.where.get(), fails, nullptr, 20000, &server) == BERTH_START_FAILED);
  REQUIRE_THAT(says(), Catch::Contains("exited with status 4") && Catch::Contains("no luck"));
  const char* const hangs[] = {"sleep", "60", nullptr};
  REQUIRE(berth_ensure(at.where.get(), hangs, nullptr, 50, &server) == BERTH_TIMED_OUT);
  REQUIRE(server == nullptr);
}

TEST_CASE("what cannot be used is refused in C, named, whatever is NULL") {
  workspace at;
  berth_location* where = nullptr;
  berth_record* record = nullptr;
  berth_publication* publication = nullptr;
  const found made = make_record();
  const char* const nothing[] = {nullptr};
  const auto refused = [](berth_status status, const std::string& why) {
    INFO(says());
    CHECK(status == BERTH_WRONG_USAGE);
    CHECK_THAT(says(), Catch::Contains(why));
  };
  refused(berth_locate("a/b", nullptr, nullptr, &where),
          "\"a/b\" is not a valid name for an application");
  refused(berth_locate("pm", nullptr, "..", &where), "\"..\" is not a valid name for an instance");
  refused(berth_locate("pm", nullptr, nullptr, nullptr), "found is NULL");
  refused(berth_read(nullptr, &record), "where is NULL");
  refused(berth_read_live(at.where.get(), nullptr), "found is NULL");
  refused(berth_wait(nullptr, 0, &record), "where is NULL");
  refused(berth_ensure(at.where.get(), nullptr, nullptr, 0, &record), "command is NULL");
  refused(berth_ensure(at.where.get(), nothing, nullptr, 0, &record), "the command is empty");
  refused(berth_record_new(nullptr, 1, "1", &record), "host is NULL");
  refused(berth_record_new("", 1, "1", &record), "needs a host");
  refused(berth_record_new("a b", 1, "1", &record), "host must be");
  refused(berth_record_new("::1", 1, "\x1b", &record), "version must be");
  refused(berth_record_set_scheme(made.get(), "a b"), "scheme must be");
  refused(berth_record_set_scheme(made.get(), ""), "scheme must be");
  refused(berth_record_set_token(made.get(), "a\nb"), "token must be");
  refused(berth_record_set_metadata(made.get(), "x", "\x1b"), "text must be");
  refused(berth_record_set_metadata(made.get(), "\x1b", "x"), "name must be");
  refused(berth_record_set_endpoint(made.get(), "x", "http", "a b", 1), "host must be");
  refused(berth_record_set_endpoint(made.get(), "x", "a b", "::1", 1), "scheme must be");
  refused(berth_record_set_endpoint(made.get(), "\x1b", "http", "::1", 1), "name must be");
  refused(berth_record_new("::1", 0, "1", &record), "a port must be 1-65535, got 0");
  refused(berth_record_new("::1", 65536, "1", &record), "got 65536");
  refused(berth_record_new("::1", 1, nullptr, &record), "version is NULL");
  refused(berth_record_set_token(nullptr, "x"), "record is NULL");
  refused(berth_record_set_metadata(made.get(), "x", nullptr), "text is NULL");
  refused(berth_record_set_endpoint(made.get(), "x", "http", "", 1), "needs a host");
  refused(berth_publish(at.where.get(), nullptr, &publication), "record is NULL");
  refused(berth_check(nullptr), "publication is NULL");
  refused(berth_remove(nullptr), "publication is NULL");
  REQUIRE(where == nullptr);
  REQUIRE(record == nullptr);
  REQUIRE(berth_record_pid(nullptr) == 0);
  REQUIRE(berth_record_url(nullptr) == nullptr);
  REQUIRE(berth_location_port_file(nullptr) == nullptr);
  berth_record_free(nullptr);
  berth_location_free(nullptr);
}

TEST_CASE("the system's refusals have a message in C") {
  workspace at;
  test::write_text(at.here / "file", "");
  const place below = locate(at.here / "file" / "below");
  const found made = make_record();
  published running(below, made);
  REQUIRE(running.status == BERTH_FAILED);
  REQUIRE_THAT(running.message, Catch::Contains("file/below"));
}

TEST_CASE("calls from many threads at once keep to themselves, messages too") {
  workspace at;
  const found made = make_record();
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  const place none = locate(at.here, "none");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        berth_record* server = nullptr;
        const bool live = (round + i) % 2 == 0;
        const auto status = berth_read_live(live ? at.where.get() : none.get(), &server);
        if (status != (live ? BERTH_DONE : BERTH_NO_LIVE_SERVER) || says().empty() != live ||
            (live && berth_record_port(server) != 8080) || berth_check(running.kept) != BERTH_DONE)
          ++wrong;
        berth_record_free(server);
      }
    });
  for (auto& thread : threads) thread.join();
  REQUIRE(wrong == 0);
}

namespace {

std::atomic<bool> handled = false;
void see_signal(int) { handled = true; }

}  // namespace

TEST_CASE("the thread of a publication takes no signal of the program's") {
  workspace at;
  const found made = make_record();
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  struct sigaction mine = {};
  mine.sa_handler = see_signal;
  sigaction(SIGUSR1, &mine, nullptr);
  sigset_t one, pending;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  ::kill(::getpid(), SIGUSR1);
  sigpending(&pending);
  const bool waits = sigismember(&pending, SIGUSR1) == 1;
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  REQUIRE(waits);
  REQUIRE(handled);
}

TEST_CASE("the library that is loaded says what it is") {
  REQUIRE(berth_c_interface() == BERTH_C_INTERFACE);
  REQUIRE(std::string(berth_version()) == BERTH_VERSION);
}
