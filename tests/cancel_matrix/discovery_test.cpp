// Rows for publishing, looking up and starting servers.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/client/ensure.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "cancel_matrix/published_row.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace cancel_matrix_test;
using namespace std::chrono_literals;

namespace {

ROW(async_acquire_row, discovery_row, "async::acquire") {
  using discovery_row::discovery_row;
  AWAIT(async::acquire(where))
};

ROW(async_publish_row, discovery_row, "async::publish") {
  using discovery_row::discovery_row;
  AWAIT(async::publish(where, ours()))
};

struct claimed_row : discovery_row {
  using discovery_row::discovery_row;
  std::optional<claim> owned;
  task<> prepare_more() override {
    owned.emplace(where, ours());
    co_return;
  }
};

ROW(async_read_row, claimed_row, "async::read") {
  using claimed_row::claimed_row;
  AWAIT(async::read(where))
};

ROW(async_read_live_row, claimed_row, "async::read_live") {
  using claimed_row::claimed_row;
  AWAIT(async::read_live(where))
};

ROW(async_examine_row, claimed_row, "async::examine") {
  using claimed_row::claimed_row;
  AWAIT(async::examine(where))
};

ROW(async_publish_again_row, claimed_row, "async::publish of a claim") {
  using claimed_row::claimed_row;
  AWAIT(async::publish(*owned, ours()))
};

ROW(async_intact_row, claimed_row, "async::intact") {
  using claimed_row::claimed_row;
  AWAIT(async::intact(*owned))
};

ROW(async_remove_row, claimed_row, "async::remove") {
  using claimed_row::claimed_row;
  AWAIT(async::remove(*owned))
};

ROW(wait_live_row, published_row, "async::wait_live") {
  using published_row::published_row;
  AWAIT(async::wait_live(where))
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

ROW(wait_gone_row, published_row, "async::wait_gone") {
  using published_row::published_row;
  task<> prepare() override {
    owned.emplace(where, discovery_row::ours());
    co_return;
  }
  AWAIT(async::wait_gone(where))
  void complete() override { owned.reset(); }
};

#ifndef _WIN32
ROW(wait_ended_row, row, "async::wait_ended") {
  explicit wait_ended_row(event_loop & on) : row(on), child(on, {"sleep", "1000"}) {
    server.pid = static_cast<std::uint32_t>(child.pid());
  }
  child_process child;
  record server;
  AWAIT(async::wait_ended(server))
  void complete() override { child.kill(SIGKILL); }
  task<> tidy() override {
    child.kill(SIGKILL);
    co_await row::tidy();
  }
};

struct started_row : row {
  using row::row;
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  std::vector<std::string> command{BERTH_COMMAND, "--config-dir", directory.path().string(),
                                   "announce",    "--port",       "8080"};
  task<> tidy() override {
    if (const auto left = read_live(where)) {
      ask_to_end(*left, where);
      const auto ended = co_await async::wait_ended(*left, deadline::after(10s));
      REQUIRE(ended);
    }
    co_await row::tidy();
  }
};

ROW(ensure_row, started_row, "ensure") {
  using started_row::started_row;
  AWAIT(ensure(where, command))
  void complete() override {}
};

ROW(replace_row, started_row, "replace") {
  using started_row::started_row;
  AWAIT(replace(where, command))  // of none: as ensure
  void complete() override {}
  bool can_wait_again() const override { return false; }  // the second is refused by an announcer
};
#endif

}  // namespace
