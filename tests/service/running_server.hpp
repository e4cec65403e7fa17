// pm-server as a process of its own, and requests to it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/tcp.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace service_test {

using namespace berth;
using namespace std::chrono_literals;

/// pm-server in a fresh directory, published.
struct running_server {
  explicit running_server(const std::map<std::string, std::string>& environment = {}) {
    server.emplace(std::vector<std::string>{PM_SERVER}, directory.path(), environment);
    REQUIRE(test::eventually([this] { return read_live(where).has_value(); }));
  }
  endpoint at() const { return {"127.0.0.1", read_live(where)->port}; }

  test::temporary_directory directory;
  location where{"pm", directory.path() / ".pm"};
  std::optional<test::process> server;
};

inline task<std::string> read_to_end(tcp_stream& from) {
  std::string all;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto size = co_await from.read_some(buffer, deadline::after(10s));
    if (!size || *size == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
}

/// Sends `text` as it stands and gives all of the answer.
inline task<std::string> ask(endpoint to, std::string text) {
  auto connected = co_await tcp_connect(to);
  if (!connected) co_return "not connected: " + connected.error().message();
  const auto sent = co_await connected->write_all(text);
  if (!sent) co_return "not sent";
  co_return co_await read_to_end(*connected);
}

inline std::string get(std::string path, std::string headers = "Connection: close\r\n") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

}  // namespace service_test
