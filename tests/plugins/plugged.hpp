// A service with plugins, in a fresh directory.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/tcp.hpp>
#include <berth/record/record.hpp>
#include <berth/service/service.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace plugins_test {

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

using values = std::map<std::string, std::string>;

/// A service with plugins, in a fresh directory.
struct plugged {
  plugged() {
    drain_times times;
    times.quiet = 1ms;
    served.set_drain_times(times);
    served.on_connection([](tcp_stream) -> task<> { co_return; });
  }

  service::overrides given() const {
    service::overrides all;
    all.config_dir = directory.path();
    return all;
  }
  static task<> connect(const record& server) {
    auto client = co_await tcp_connect(endpoint("127.0.0.1", server.port));
    std::array<std::byte, 1> buffer;
    REQUIRE(client);
    const auto ended = co_await client->read_some(buffer);
    (void)ended;
  }
  static task<> whole_life(plugged& self, record& published) {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(self.served.serve(self.given()));
    const auto found = co_await async::wait_live(self.where, deadline::after(10s));
    published = *found;
    co_await connect(published);
    self.served.stop();
    co_await tasks.join();
  }
  /// Starts, is connected to once, and stops; what was published.
  record live() {
    record published;
    run(whole_life(*this, published));
    return published;
  }
  std::string refusal() {
    try {
      run(served.serve(given()));
    } catch (const std::exception& refused) {
      REQUIRE_FALSE(fs::exists(where.port_file()));
      return refused.what();
    }
    return "not refused";
  }
  std::vector<std::string> journal() const {
    std::istringstream text(test::read_text(directory.path() / "journal"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  std::string journal_path() const { return (directory.path() / "journal").string(); }

  test::temporary_directory directory;
  location where{"plugged", directory.path()};
  service served{"plugged", "1"};
};

inline fs::path copy_of(const fs::path& plugin, const fs::path& to) {
  fs::copy_file(plugin, to);
  return to;
}

inline const std::vector<std::string> before_publishing = {"configured", "bound", "publishing"};
inline const std::vector<std::string> after = {
    "published",   "ready",  "connection_opened", "connection_closed", "draining",
    "unpublished", "stopped"};

}  // namespace plugins_test
