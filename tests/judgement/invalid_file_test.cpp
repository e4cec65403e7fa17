// Port files that are invalid or not yet complete.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>

#include "judgement/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace judgement_test;
namespace fs = std::filesystem;

namespace {

const std::string invalid_texts[] = {"", "{", "[]", "{\"pid\": 1}", std::string(100'000, ' ')};

}  // namespace

TEST_CASE("an invalid file that nobody locks is reported by readers and blocks no server") {
  const place at;
  for (const auto& text : invalid_texts) {
    test::write_text(at.file, text);
    const std::function<void()> readers[] = {[&] { (void)read(at.where); },
                                             [&] { (void)read_live(at.where); },
                                             [&] { (void)examine(at.where); }};
    for (const auto& reader : readers)
      REQUIRE_THROWS_WITH(reader(),
                          Catch::StartsWith("Invalid port file " + at.file.string() + ": ") &&
                              Catch::Contains("no process locks it") &&
                              Catch::Contains("start a server, which replaces it"));
    REQUIRE_THROWS_AS(remove_stale(at.where), invalid_port_file);
    REQUIRE(test::read_text(at.file) == text);
    const claim owned(at.where, describe_this_process("127.0.0.1", 8080, "1"));
    REQUIRE_FALSE(owned.found_stale());
    REQUIRE(read_live(at.where)->port == 8080);
  }
}

TEST_CASE("clean removes invalid files that nobody locks and prints them; doctor says so") {
  const place at;
  for (const auto& text : invalid_texts) {
    test::write_text(at.file, text);
    const auto told = run_berth(at, {"doctor"});
    REQUIRE(told.status == 1);
    REQUIRE_THAT(told.out, Catch::Contains("FAULT  port file " + at.file.string() +
                                           ": it is invalid, and no process locks it") &&
                               Catch::Contains("berth clean"));
    const auto cleaned = run_berth(at, {"clean"});
    REQUIRE(cleaned.status == 0);
    REQUIRE(cleaned.out == at.file.string() + "\n");
    REQUIRE_FALSE(fs::exists(at.file));
  }
}

TEST_CASE("an invalid file that is locked is left alone and reported") {
  const place at;
  test::write_text(at.file, "{");
  const sleeper holder([&] {
    static auto file = open_file::to_lock(at.where.port_file_name());
    file.try_lock(lock_range::owner);
  });
  const auto refused = Catch::Contains("left alone");
  REQUIRE_THROWS_WITH(read_live(at.where), refused);
  REQUIRE_THROWS_WITH(claim(at.where, describe_this_process("127.0.0.1", 8080, "1")), refused);
  const auto cleaned = run_berth(at, {"clean"});
  REQUIRE(cleaned.out.empty());
  REQUIRE_THAT(cleaned.err, refused);
  REQUIRE(test::read_text(at.file) == "{");
}

TEST_CASE("readers wait a moment for a writer that does not write atomically") {
  const place at;
  const std::string text = format_record(described(static_cast<std::uint32_t>(::getpid())));
  test::write_text(at.file, text);
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::alarm(60);
    for (;;) {
      const int file = ::open(at.file.c_str(), O_WRONLY | O_TRUNC);
      (void)!::write(file, text.data(), text.size() / 2);
      (void)!::write(file, text.data() + text.size() / 2, text.size() - text.size() / 2);
      ::close(file);
      ::usleep(500);
    }
  }
  int faults = 0;
  for (int i = 0; i < 2000; ++i) try {
      if (!read_live(at.where) || !read(at.where)) ++faults;
    } catch (const invalid_port_file&) {
      ++faults;
    }
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  REQUIRE(faults == 0);
}

TEST_CASE("readers wait for no writer that has not written for a while") {
  const place at;
  test::write_text(at.file, "{");
  const auto shortest_look = [&](auto age) {
    auto shortest = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 10; ++i) {
      fs::last_write_time(at.file, fs::file_time_type::clock::now() - age);
      const auto begin = std::chrono::steady_clock::now();
      REQUIRE_THROWS_AS(read_live(at.where), invalid_port_file);
      shortest = std::min(shortest, std::chrono::steady_clock::now() - begin);
    }
    return shortest;
  };
  const auto waiting = shortest_look(std::chrono::seconds(0));
  REQUIRE(shortest_look(std::chrono::hours(1)) < waiting / 2);
  REQUIRE(shortest_look(std::chrono::hours(-24)) < waiting / 2);
}
