// File size limits, and a shutdown during a write.
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/file.hpp>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

TEST_CASE("a file is read whole if there is no limit") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path path) -> task<> {
    for (const std::size_t size : {0u, 1u, 300'000u}) {
      const std::string content(size, 'x');
      test::write_text(path, content);
      const auto read = co_await read_file(path, SIZE_MAX);
      REQUIRE(read);
      REQUIRE(*read == content);
    }
  };
  run(body(directory.path() / "file"));
}

TEST_CASE("a file that is too large is refused before it is read") {
  const test::temporary_directory directory;
  const auto path = directory.path() / "file";
  const auto read = [](std::filesystem::path from, std::size_t most) -> task<> {
    (void)co_await read_file(from, most);
  };
  test::write_text(path, "12345");
  REQUIRE_THROWS_WITH(run(read(path, 4)), Catch::Contains("larger than 4 bytes"));
#ifndef _WIN32
  // Under the sanitizers, an allocation that large ends the program.
  if (test::sanitized) return;
  std::filesystem::resize_file(path, std::uintmax_t{1} << 43);
  REQUIRE_THROWS_WITH(run(read(path, SIZE_MAX)),
                      Catch::Contains("no memory for its 8796093022208"));
#endif
}

TEST_CASE("a shutdown beside a write ends the stream after all of it") {
  const auto write = [](stream& to, const std::string& text) -> task<> {
    const auto written = co_await to.write_all(text);
    REQUIRE(written);
  };
  const auto end = [](stream& to) -> task<> {
    const auto ended = co_await to.shutdown();
    REQUIRE(ended);
  };
  const auto count = [](stream& from) -> task<std::size_t> {
    std::vector<std::byte> buffer(65536);
    std::size_t all = 0;
    for (;;) {
      const auto size = co_await from.read_some(buffer, deadline::after(60s));
      if (!size || *size == 0) co_return all;
      all += *size;
    }
  };
  const auto body = [&]() -> task<> {
    test::pair_of_streams both = co_await test::connect_pair();
    const std::string text(32u << 20, 'x');
    const auto done =
        co_await when_all(write(both.server, text), end(both.server), count(both.client));
    REQUIRE(std::get<2>(done) == text.size());
  };
  run(body());
}
