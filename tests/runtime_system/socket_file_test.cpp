// Names and files of local sockets.
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include <berth/base/error.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/local.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("a socket name that does not fit is an error, and no part of it is used") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
    const std::size_t rest = most - in.string().size() - 1;
    const fs::path fits = in / std::string(rest, 'x');
    for (const fs::path& name : {in / std::string(rest + 1, 'x'), in / std::string(200, 'x')}) {
      CHECK_THROWS_WITH(local_listener(loop, name), Catch::Contains(name.string()));
      CHECK(fs::is_empty(in));
    }
    CHECK_THROWS_AS(local_listener(loop, fs::path()), error);
    local_listener listener(loop, fits);
    CHECK(fs::exists(fits));
    const auto longer = co_await local_connect(fits.string() + "y", deadline::after(20s));
    CHECK(longer.error() == std::errc::filename_too_long);
    const auto connected = co_await local_connect(fits, deadline::after(20s));
    CHECK(connected);
  };
  run(body(directory.path()));
}

TEST_CASE("a listener removes its own socket file, and no other that has its name by then") {
  const test::temporary_directory directory;
  const auto body = [](fs::path name) -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    local_listener first(loop, name);
    fs::remove(name);
    local_listener second(loop, name);
    first.close();
    const auto connected = co_await local_connect(name, deadline::after(20s));
    CHECK(connected);
    second.close();
    CHECK_FALSE(fs::exists(fs::symlink_status(name)));
    local_listener third(loop, name);
    fs::remove(name);
    test::write_text(name, "somebody's");
    third.close();
    CHECK(test::read_text(name) == "somebody's");
  };
  run(body(directory.path() / "socket"));
}

TEST_CASE("a listener finds its socket file after the current directory has changed") {
  const test::temporary_directory directory;
  const fs::path before = fs::current_path();
  const auto body = [&before](fs::path in) -> task<> {
    const auto here = co_await current_context();
    fs::current_path(in);
    local_listener listener(event_loop::of(here), "socket");
    fs::current_path(before);
    CHECK(fs::exists(in / "socket"));
    listener.close();
    CHECK_FALSE(fs::exists(in / "socket"));
  };
  run(body(directory.path()));
}
