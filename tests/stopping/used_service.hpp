// A service in a fresh directory, and clients for it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include <berth/client/async.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace stopping_test {

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Sends back what it receives. 'i', 'f' and 'm' make it throw; 's' is answered half a second
/// later.
inline task<> echo(tcp_stream client) {
  std::array<std::byte, 64> buffer;
  for (;;) {
    const auto size = co_await client.read_some(buffer);
    if (!size || *size == 0) co_return;
    const char first = static_cast<char>(buffer[0]);
    if (first == 'i') throw 42;
    if (first == 'f') throw fs::filesystem_error("gone", std::error_code());
    if (first == 'm') throw std::bad_alloc();
    const auto thinking = first == 's' ? 500ms : 0ms;
    (void)co_await sleep_for(thinking);
    const auto sent = co_await client.write_all(std::span{buffer}.first(*size));
    if (!sent) co_return;
  }
}

inline service::overrides in_directory(const fs::path& directory) {
  service::overrides given;
  given.config_dir = directory;
  return given;
}

inline drain_times quick() {
  drain_times times;
  times.quiet = 1ms;
  times.idle = 10ms;
  return times;
}

/// A service in a fresh directory.
struct used_service {
  explicit used_service(connection_handler handler = echo) {
    served.on_connection(std::move(handler));
    served.set_drain_times(quick());
  }
  task<> serve() { return served.serve(in_directory(directory.path())); }
  bool published() const { return fs::exists(where.port_file()); }

  test::temporary_directory directory;
  location where{"used", directory.path()};
  service served{"used", "1"};
};

inline task<endpoint> address_of(location where) {
  const auto found = co_await async::wait_live(std::move(where), deadline::after(20s));
  REQUIRE(found);
  co_return endpoint("127.0.0.1", found->port);
}

/// Sends `text` and gives what comes back at once, or "closed".
inline task<std::string> exchange(tcp_stream& client, std::string text) {
  const auto sent = co_await client.write_all(text);
  if (!sent) co_return "not sent: " + sent.error().message();
  std::array<std::byte, 64> buffer;
  const auto size = co_await client.read_some(buffer, deadline::after(20s));
  if (!size || *size == 0) co_return "closed";
  co_return std::string(reinterpret_cast<const char*>(buffer.data()), *size);
}

inline task<tcp_stream> connect_to(endpoint at) {
  auto connected = co_await tcp_connect(at, deadline::after(20s));
  co_return std::move(connected).value("connect");
}

/// Where a service is told to stop by which of its hooks.
inline hook_point<>& ready(service& of) { return of.hooks().ready; }

}  // namespace stopping_test
