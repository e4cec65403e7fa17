// Publishing from C.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <berth/berth.h>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>

#include "c_interface/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace c_interface_test;
namespace fs = std::filesystem;

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
