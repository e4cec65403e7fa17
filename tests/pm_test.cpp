// pm-server against the pages that a browser runs and against half-broken clients; services that
// require a token.
#include <signal.h>

#include <array>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

struct running_server {
  explicit running_server(const std::vector<std::string>& words = {}) {
    std::vector<std::string> command{PM_SERVER};
    command.insert(command.end(), words.begin(), words.end());
    server.emplace(command, directory.path());
    REQUIRE(test::eventually([this] { return read_live(where).has_value(); }));
    port = read_live(where)->port;
  }
  std::string with_port(const std::string& host) const { return host + ':' + std::to_string(port); }

  test::temporary_directory directory;
  location where{"pm", directory.path() / ".pm"};
  std::optional<test::process> server;
  std::uint16_t port = 0;
};

task<std::string> exchange(endpoint to, std::string text) {
  auto connected = co_await tcp_connect(to);
  if (!connected) co_return "not connected: " + connected.error().message();
  const auto sent = co_await connected->write_all(text);
  if (!sent) co_return "not sent";
  std::string all;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto size = co_await connected->read_some(buffer, deadline::after(10s));
    if (!size || *size == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
}

/// The whole answer to a request with those header lines.
std::string ask(const running_server& running, const std::string& headers,
                const std::string& first_line = "GET /health HTTP/1.1") {
  return run(exchange({"127.0.0.1", running.port},
                      first_line + "\r\n" + headers + "Connection: close\r\n\r\n"));
}

std::string status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? answer.substr(9, 3) : answer;
}

task<> stop(service& started) {
  started.stop();
  co_return;
}

std::string host(const std::string& text) { return "Host: " + text + "\r\n"; }
std::string origin(const std::string& text) { return "Origin: " + text + "\r\n"; }

}  // namespace

TEST_CASE("a server of this machine answers only to its own names, with its port or none") {
  running_server running;
  for (const std::string name : {"localhost", "LocalHost", "pm.localhost", "127.0.0.1",
                                 "127.8.9.10", "[::1]", "[0:0:0:0:0:0:0:1]"}) {
    INFO(name);
    CHECK(status_of(ask(running, host(name))) == "200");
    CHECK(status_of(ask(running, host(running.with_port(name)))) == "200");
    CHECK(status_of(ask(running, host(name + ":1"))) == "403");
  }
  for (const std::string name :
       {"evil.example", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example",
        "192.168.1.1", "0.0.0.0", "[::2]", "2130706433", "x"}) {
    INFO(name);
    const auto answer = ask(running, host(running.with_port(name)));
    CHECK(status_of(answer) == "403");
    CHECK_THAT(answer, Catch::Contains("{\n  \"error\": \"this server does not serve the host") &&
                           Catch::Contains("http://127.0.0.1:" + std::to_string(running.port)));
  }
}

TEST_CASE("a request needs one Host that can be read") {
  running_server running;
  CHECK(status_of(ask(running, "")) == "400");
  CHECK(status_of(ask(running, "", "GET /health HTTP/1.0")) == "200");
  CHECK(status_of(ask(running, host("evil.example"), "GET /health HTTP/1.0")) == "403");
  CHECK(status_of(ask(running, host("localhost") + host("localhost"))) == "400");
  CHECK(status_of(ask(running, host("localhost") + "X: y\r\n" + host("evil.example"))) == "400");
  for (const std::string wrong :
       {"", "localhost, evil.example", "me@localhost", "localhost:", "localhost:0",
        "localhost:65536", "localhost:80x", "[::1", "[::1]x", "[::1]80", "::1", "local host",
        "localhost/", "localhost\xC3\xA9", "\x80"}) {
    INFO(wrong);
    CHECK(status_of(ask(running, host(wrong))) == "400");
  }
}

TEST_CASE("a page of another origin can neither read nor post") {
  running_server running;
  const auto own = running.with_port("localhost");
  const std::string post = "POST /api/v1/projects HTTP/1.1";
  const std::vector<std::string> pages{"http://evil.example",
                                       "http://localhost",
                                       "http://localhost:1",
                                       "https://" + own,
                                       "http://" + running.with_port("127.0.0.1"),
                                       "null",
                                       "",
                                       own,
                                       "http://" + own + "/",
                                       "http://x@" + own};
  for (const auto& page : pages) {
    INFO(page);
    const auto answer = ask(running, host(own) + origin(page), post);
    CHECK(status_of(answer) == "403");
    CHECK_THAT(answer, Catch::Contains("another origin"));
    CHECK(status_of(ask(running, host(own) + origin(page))) == "403");
  }
  CHECK(status_of(ask(running, host(own) + origin("http://" + own) + origin("null"))) == "403");
  CHECK(status_of(ask(running, host(own) + origin("http://" + own))) == "200");
  // A page on this very server, seen by its other name; and a post of no page.
  const auto address = running.with_port("127.0.0.1");
  CHECK(status_of(ask(running, host(address) + origin("http://" + address))) == "200");
  CHECK(status_of(ask(running, host(own), post)) == "400");  // has no body
  CHECK_THAT(ask(running, host(own), "GET /api/v1/projects HTTP/1.1"), !Catch::Contains("evil"));
}

TEST_CASE("a server of a network answers to addresses and its own name, and to no other") {
  running_server running({"--host", "0.0.0.0"});
  for (const std::string name : {"127.0.0.1", "192.168.1.1", "[fe80::1]", "localhost"}) {
    INFO(name);
    CHECK(status_of(ask(running, host(running.with_port(name)))) == "200");
    CHECK(status_of(ask(running, host(name + ":9"))) == "200");  // a port that is mapped to ours
  }
  std::array<char, 256> machine{};
  REQUIRE(::gethostname(machine.data(), machine.size() - 1) == 0);
  CHECK(status_of(ask(running, host(running.with_port(machine.data())))) == "200");
  CHECK(status_of(ask(running, host(running.with_port("evil.example")))) == "403");
  CHECK(status_of(ask(running, host("localhost:9") + origin("http://evil.example"))) == "403");
}

TEST_CASE("what follows the body says nothing about the request") {
  running_server running({"--require-token"});
  const auto token = read_live(running.where)->token;
  const std::string chunked = "GET /health HTTP/1.1";
  const std::string body = "0\r\nAuthorization: Bearer " + token + "\r\nHost: x\r\n\r\n";
  const auto send = [&](const std::string& headers) {
    return status_of(
        run(exchange({"127.0.0.1", running.port},
                     chunked + "\r\n" + headers +
                         "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body)));
  };
  CHECK(send(host("localhost")) == "401");
  CHECK(send(host("localhost") + "Authorization: Bearer " + token + "\r\n") == "200");
}

TEST_CASE("a token is required only of a service whose handlers check it") {
  test::temporary_directory directory;
  const auto refused = test::run({ECHO_SERVER, "--require-token"}, directory.path());
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Catch::Contains("echo-server cannot require a token: the handler of its "
                                          "connections does not check one"));
  CHECK_FALSE(std::filesystem::exists(directory.path() / ".echo"));

  const auto handler = [](tcp_stream) -> task<> { co_return; };
  const auto start = [&](service& tried) {
    service::overrides given;
    given.config_dir = directory.path();
    given.catch_signals = false;
    // Stops a service that starts, so that a missing refusal is seen and not waited for.
    tried.hooks().ready.add("stop", [&tried] { return stop(tried); });
    run(tried.serve(given));
  };
  service unchecked("unchecked", "1");
  unchecked.on_connection(handler);
  unchecked.require_token();
  CHECK_THROWS_AS(start(unchecked), invalid_value);

  service half("half", "1");
  half.on_connection(handler, token_check::by_handler);
  half.listen("admin", handler);
  half.require_token();
  CHECK_THROWS_WITH(start(half), Catch::Contains("its endpoint \"admin\""));

  service whole("whole", "1");
  whole.on_connection(handler, token_check::by_handler);
  whole.listen("admin", handler, "http", token_check::by_handler);
  CHECK(whole.token_matches("anything"));
  whole.require_token();
  start(whole);
  CHECK(whole.token_matches(whole.token()));
  CHECK_FALSE(whole.token_matches(""));
  CHECK_FALSE(whole.token_matches(whole.token().substr(1)));
}
