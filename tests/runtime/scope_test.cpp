// Joining a scope, and with_scope.
#include <chrono>
#include <stdexcept>
#include <string>

#include <berth/base/error.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/io/event_loop.hpp>

#include "support/catch.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

task<> note_end(std::string& notes) {
  const auto slept = co_await sleep_for(1h);
  notes += slept ? "slept " : "cancelled ";
}

}  // namespace

TEST_CASE("a second task that joins a scope gets an error, and the first its end") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    std::string notes;
    scope joined(here), joiners(here);
    joined.spawn(note_end(notes));
    const auto join = [](scope& of, std::string& to) -> task<> {
      try {
        co_await of.join();
        to += "joined ";
      } catch (const error&) {
        to += "refused ";
      }
    };
    joiners.spawn(join(joined, notes));
    joiners.spawn(join(joined, notes));
    REQUIRE(notes == "refused ");
    joined.cancel();
    co_await joiners.join();
    REQUIRE(notes == "refused cancelled joined ");
  };
  run(body());
}

TEST_CASE("with_scope joins its tasks when its function returns, and gives what it gives") {
  const auto in_scope = [](scope& tasks, std::string& notes) -> task<int> {
    tasks.spawn(note_end(notes));
    tasks.cancel();
    co_return 42;
  };
  const auto body = [&in_scope]() -> task<> {
    std::string notes;
    const int given = co_await with_scope(in_scope, std::ref(notes));
    REQUIRE(given == 42);
    REQUIRE(notes == "cancelled ");
  };
  run(body());
}

TEST_CASE("with_scope joins its tasks when its function or one of them throws") {
  const auto throws = []() -> task<> {
    const auto yielded = co_await yield();
    if (yielded) throw std::runtime_error("thrown");
  };
  const auto function_throws = [](scope& tasks, std::string& notes) -> task<> {
    tasks.spawn(note_end(notes));
    throw std::runtime_error("thrown");
    co_return;
  };
  const auto task_throws = [&throws](scope& tasks, std::string& notes) -> task<> {
    tasks.spawn(throws());
    co_await note_end(notes);
  };
  const auto body = [](auto& function) -> task<> {
    std::string notes;
    bool thrown = false;
    try {
      co_await with_scope(std::ref(function), std::ref(notes));
    } catch (const std::runtime_error&) {
      thrown = true;
      REQUIRE(notes == "cancelled ");
    }
    REQUIRE(thrown);
  };
  run(body(function_throws));
  run(body(task_throws));
}
