// What a service answers: HTTP, tokens, several listeners, handlers that throw.
#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/tcp.hpp>
#include <berth/record/record.hpp>
#include <berth/service/service.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "service/running_server.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace service_test;
namespace fs = std::filesystem;

TEST_CASE("HTTP: what is wrong with a request is said in its status, as JSON") {
  running_server running;
  const auto body = [](endpoint at) -> task<> {
    const std::tuple<std::string, std::string> cases[] = {
        {get("/health"), "200 OK"},
        {get("/health?x=1"), "200 OK"},
        {get("/api/v1/projects"), "200 OK"},
        {get("/nothing"), "404 Not Found"},
        {"DELETE /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
         "405 Method Not Allowed"},
        {"PUT /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
         "0\r\n\r\n",
         "405 Method Not Allowed"},
        {"nonsense\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: "
         "close\r\nContent-Length: 3\r\n\r\n{x}",
         "400 Bad Request"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: "
         "close\r\nContent-Length: "
         "15\r\n\r\n{\"name\":\"Quay\"}",
         "201 Created"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n",
         "413 "},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" +
             std::string(65536, 'x') + "\r\n10\r\n" + std::string(16, 'x') + "\r\n",
         "413 "},
        {"GET / HTTP/1.1\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n", "413 "},
    };
    for (const auto& [request, status] : cases) {
      const auto answer = co_await ask(at, request);
      INFO(request.substr(0, 60));
      REQUIRE_THAT(answer, Catch::StartsWith("HTTP/1.1 " + status));
      REQUIRE_THAT(answer, Catch::Contains("\r\nContent-Type: application/json\r\n"));
    }
  };
  run(body(running.at()));
}

TEST_CASE("HTTP: a connection serves one request after the other, pipelined ones too") {
  running_server running;
  const auto body = [](endpoint at) -> task<> {
    const std::string three = get("/health", "") + get("/nothing", "") + get("/health");
    const auto answer = co_await ask(at, three);
    REQUIRE(answer.find("200 OK") != answer.rfind("200 OK"));
    REQUIRE_THAT(answer, Catch::Contains("404 Not Found"));
  };
  run(body(running.at()));
}

TEST_CASE("a handler that throws ends its connection and not the service") {
  test::temporary_directory directory;
  service throwing("throw", "1");
  throwing.on_connection([](tcp_stream) -> task<> {
    throw std::runtime_error("handler");
    co_return;
  });
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("throw", at));
    const endpoint to("127.0.0.1", found->port);
    for (int i = 0; i < 3; ++i) {
      const auto answer = co_await ask(to, "");
      REQUIRE(answer.empty());
    }
    served.stop();
    co_await tasks.join();
  };
  run(body(throwing, directory.path()));
}

TEST_CASE("a service that requires a token serves only who brings it") {
  test::temporary_directory directory;
  test::process server({PM_SERVER, "--require-token"}, directory.path());
  const location where("pm", directory.path() / ".pm");
  REQUIRE(test::eventually([&] { return read_live(where).has_value(); }));
  const auto found = *read_live(where);
  REQUIRE(found.token.size() == 64);
  const auto body = [](endpoint at, std::string token) -> task<> {
    const auto status_of = [](endpoint to, std::string text) -> task<std::string> {
      const auto answer = co_await ask(to, std::move(text));
      co_return answer.substr(9, 3);
    };
    const std::string close = "Connection: close\r\n";
    std::vector<std::tuple<std::string, std::string>> cases = {
        {get("/health"), "401"},
        {get("/health?token=wrong"), "401"},
        {get("/health", close + "Authorization: Bearer " + token.substr(1) + "\r\n"), "401"},
        {get("/health", close + "authorization: Bearer " + token + "\r\n"), "200"},
        {get("/health?a=b&token=" + token + "&c=d"), "200"},
    };
    for (auto& [request, expected] : cases) {
      INFO(request);
      const auto status = co_await status_of(at, request);
      REQUIRE(status == expected);
    }
  };
  run(body({"127.0.0.1", found.port}, found.token));
  REQUIRE(test::run({PM_CLI, "project", "list"}, directory.path()).status == 0);
  const auto url = test::run({BERTH_COMMAND, "url", "--with-token"}, directory.path());
  REQUIRE(url.out == url_of(found) + "/?token=" + found.token + "\n");
}

TEST_CASE(
    "a service with several listeners publishes them as named endpoints, and drains them all") {
  test::temporary_directory directory;
  service several("several", "1");
  const auto say = [](std::string word) {
    return [word](tcp_stream client) -> task<> {
      const auto send = [](tcp_stream to, std::string text) -> task<> {
        const auto sent = co_await to.write_all(text);
        (void)sent;
      };
      return send(std::move(client), word);
    };
  };
  several.on_connection(say("main"));
  several.listen("admin", say("admin"));
  several.listen("metrics", say("metrics"), "tcp");
  REQUIRE_THROWS_AS(several.listen("a b", say("")), invalid_value);
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    given.instance = "second";
    given.catch_signals = false;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("several", at, "second"));
    REQUIRE(found->endpoints.size() == 2);
    REQUIRE(found->endpoints.at("metrics").scheme == "tcp");
    for (const auto& [name, port] :
         std::map<std::string, std::uint16_t>{{"main", found->port},
                                              {"admin", found->endpoints.at("admin").port},
                                              {"metrics", found->endpoints.at("metrics").port}}) {
      const endpoint to("127.0.0.1", port);
      const auto answer = co_await ask(to, "");
      REQUIRE(answer == name);
    }
    auto url_of_admin = [at] {
      return test::run({BERTH_COMMAND, "--app", "several", "--config-dir", at.string(),
                        "--instance", "second", "url", "--endpoint", "admin"});
    };
    const auto url = co_await offload(std::move(url_of_admin));
    REQUIRE(url->out == fmt::format("http://127.0.0.1:{}\n", found->endpoints.at("admin").port));
    served.stop();
    co_await tasks.join();
  };
  run(body(several, directory.path()));
  run(body(several, directory.path()));  // again, on other ports
}
