// The other ends that io/ knows: local streams, datagrams, names, files in ranges, children's
// pipes; and what arrives from them, cut into lines and messages.
#include <berth/coro/timeout.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/file.hpp>
#include <berth/io/framer.hpp>
#include <berth/io/local.hpp>
#include <berth/io/udp.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;
using test::any_port;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::filesystem::path local_name(const test::temporary_directory& directory) {
#ifdef _WIN32
  return "\\\\.\\pipe\\" + directory.path().filename().string();
#else
  return directory.path() / "socket";
#endif
}

task<std::string> read_to_end(stream& from) {
  std::string all;
  std::array<std::byte, 1000> buffer;
  for (;;) {
    const auto size = co_await from.read_some(buffer, deadline::after(10s));
    if (!size || *size == 0) co_return all;
    all += text_of(std::span(buffer).first(*size));
  }
}

}  // namespace

TEST_CASE("a local stream carries bytes both ways, and is half closed like any other") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path name) -> task<> {
    const auto here = co_await current_context();
    local_listener listener(event_loop::of(here), name);
    auto both = co_await when_all(listener.accept(), local_connect(name));
    local_stream server = std::move(std::get<0>(both)).value("accept");
    local_stream client = std::move(std::get<1>(both)).value("connect");
    const auto write_and_close = [](local_stream& to, std::string text) -> task<> {
      const auto sent = co_await to.write_all(text);
      REQUIRE(sent);
      const auto ended = co_await to.shutdown();
      REQUIRE(ended);
    };
    const std::string long_text(300'000, 'y');
    auto answers = co_await when_all(read_to_end(client), write_and_close(server, long_text),
                                     write_and_close(client, "there"), read_to_end(server));
    REQUIRE(std::get<0>(answers) == long_text);
    REQUIRE(std::get<3>(answers) == "there");
  };
  run(body(local_name(directory)));
}

#ifndef _WIN32  // see PROMISES.md: what was not run on Windows
TEST_CASE("a local name that is taken or is not there is an error that says so") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path name) -> task<> {
    const auto here = co_await current_context();
    const auto nobody = co_await local_connect(name);
    REQUIRE_FALSE(nobody);
    local_listener first(event_loop::of(here), name);
    REQUIRE_THROWS_WITH(local_listener(event_loop::of(here), name), Catch::Contains(name.string()));
  };
  run(body(local_name(directory)));
}

TEST_CASE("datagrams arrive whole, with their sender, one after the other") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    udp_socket one(loop, any_port), other(loop, any_port);
    for (const std::string_view text : {"first", "second", ""}) {
      const auto sent = co_await one.send(other.bound(), bytes_of(text));
      REQUIRE(sent);
    }
    std::array<std::byte, 5> buffer;
    for (const std::string_view expected : {"first", "secon", ""}) {
      const auto got = co_await other.receive(buffer, deadline::after(10s));
      REQUIRE(got);
      REQUIRE(text_of(std::span(buffer).first(got->size)) == expected);
      REQUIRE(got->truncated == (expected == "secon"));
      REQUIRE(got->from == one.bound());
    }
    const auto none = co_await other.receive(buffer, deadline::after(1ms));
    REQUIRE(none.timed_out());
    REQUIRE_THROWS_AS(udp_socket(loop, other.bound()), error);
  };
  run(body());
}
#endif

TEST_CASE("connect takes the next address where one does not answer") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    const endpoint six_only("::1", 0);
    tcp_listener listener(event_loop::of(here), six_only);
    // localhost is 127.0.0.1 first, where nobody listens on this port.
    const endpoint named("localhost", listener.bound().port);
    auto both = co_await when_all(listener.accept(), connect(named, deadline::after(10s)));
    REQUIRE(std::get<1>(both));
    REQUIRE(std::get<1>(both)->peer().host == "::1");
    listener.close();
    const auto nobody = co_await connect(named, deadline::after(10s));
    REQUIRE(nobody.error() == std::errc::connection_refused);
    const endpoint nonsense("no such name", 1);
    const auto unknown = co_await connect(nonsense, deadline::after(10s));
    REQUIRE_FALSE(unknown);
  };
  run(body());
}

TEST_CASE("a file is read and written in ranges, and says what is wrong by its path") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path path) -> task<> {
    auto made = co_await file::open(path, file_mode::write_new);
    file whole = std::move(made).value("open");
    const auto written = co_await whole.write_at(5, bytes_of("world"));
    REQUIRE(written);
    const auto before = co_await whole.write_at(0, bytes_of("hello"));
    REQUIRE(before);
    const auto synced = co_await whole.sync();
    REQUIRE(synced);
    const auto size = co_await whole.size();
    REQUIRE(*size == 10);
    std::array<std::byte, 8> buffer;
    const auto middle = co_await whole.read_at(3, buffer);
    REQUIRE(text_of(std::span(buffer).first(*middle)) == "loworld");
    const auto beyond = co_await whole.read_at(100, buffer);
    REQUIRE(*beyond == 0);
    const auto again = [](std::filesystem::path at) -> task<> {
      const auto refused = co_await file::open(at, file_mode::write_new);
      (void)refused;
    };
    std::string said;
    try {
      co_await again(path);
    } catch (const error& exists) {
      said = exists.what();
    }
    REQUIRE_THAT(said, Catch::Contains(path.string()));
  };
  run(body(directory.path() / "file"));
}

#ifndef _WIN32
TEST_CASE("a child is talked to by pipes, in a directory and an environment of its own") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path where) -> task<> {
    const auto here = co_await current_context();
    child_options options;
    options.input = options.output = options.error = child_options::stream::piped;
    options.directory = where;
    options.environment = std::vector<std::string>{"GREETING=hello", "PATH=/usr/bin:/bin"};
    const std::vector<std::string> command{"sh", "-c", "echo $GREETING; pwd; cat; echo oops >&2"};
    child_process child(event_loop::of(here), command, options);
    const auto sent = co_await child.input->write_all("typed\n");
    REQUIRE(sent);
    child.input.reset();
    auto told = co_await when_all(read_to_end(*child.output), read_to_end(*child.error));
    REQUIRE(std::get<0>(told) == "hello\n" + where.string() + "\ntyped\n");
    REQUIRE(std::get<1>(told) == "oops\n");
    const auto ended = co_await child.wait();
    REQUIRE(ended->code == 0);
  };
  run(body(std::filesystem::canonical(directory.path())));
}
#endif

TEST_CASE("lines are cut as they arrive, whatever the pieces") {
  const std::string text = "one\r\n\ntwo\rthree\nfour";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    line_framer lines;
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      lines.feed(bytes_of(std::string_view(text).substr(at, piece)));
      while (const auto line = lines.next()) found.emplace_back(*line);
    }
    REQUIRE(found == std::vector<std::string>{"one", "", "two\rthree"});
    REQUIRE_FALSE(lines.too_long());
  }
}

TEST_CASE("a line may be as long as is allowed and no longer, whole or not") {
  for (const std::string_view end : {"\n", "\r\n"}) {
    line_framer exact(4);
    exact.feed(bytes_of("1234" + std::string(end)));
    REQUIRE(exact.next() == "1234");
    line_framer over(4);
    over.feed(bytes_of("12345" + std::string(end) + "ok\n"));
    REQUIRE_FALSE(over.next());
    REQUIRE(over.too_long());
    REQUIRE_FALSE(over.next());
  }
  line_framer endless(4);
  endless.feed(bytes_of("123456789"));
  REQUIRE_FALSE(endless.next());
  REQUIRE(endless.too_long());
}

TEST_CASE("messages are cut by their length, whatever the pieces") {
  std::string text;
  for (const std::string_view message : {"", "one", "two words"}) {
    const auto header = length_framer::header(static_cast<std::uint32_t>(message.size()));
    text += text_of(header);
    text += message;
  }
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    length_framer messages(9);
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      messages.feed(bytes_of(std::string_view(text).substr(at, piece)));
      while (const auto message = messages.next()) found.emplace_back(*message);
    }
    REQUIRE(found == std::vector<std::string>{"", "one", "two words"});
  }
  length_framer refuses(8);
  refuses.feed(bytes_of(text));
  REQUIRE(refuses.next() == "");
  REQUIRE(refuses.next() == "one");
  REQUIRE_FALSE(refuses.next());
  REQUIRE(refuses.too_long());
}
