// Rows for registries and their clients.
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <berth/client/look_until.hpp>
#include <berth/client/registry.hpp>
#include <berth/client/registry_resolver.hpp>
#include <berth/client/registry_watch.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/discovery/instance_list.hpp>

#include "cancel_matrix/published_row.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace cancel_matrix_test;

namespace {

#ifndef _WIN32
void list_in(const std::filesystem::path& directory) {
  ::setenv("BERTH_LIST_DIR", directory.c_str(), 1);
}

ROW(registry_list_row, pool_row, "file_registry::list") {
  using pool_row::pool_row;
  file_registry files;
  task<> prepare_more() override {
    list_in(directory.path());
    co_return;
  }
  AWAIT(files.list("pm", deadline::never()))
};

struct registry_row : published_row {
  using published_row::published_row;
  file_registry files;
  void complete() override {
    owned.emplace(where, discovery_row::ours());
    REQUIRE(instance_list::held_entry(where).hold());
  }
};

ROW(registry_changed_row, registry_row, "file_registry::changed") {
  using registry_row::registry_row;
  task<> prepare() override {
    list_in(directory.path());
    const auto none = co_await files.list("pm", deadline::never());
    REQUIRE(none);
  }
  AWAIT(files.changed("pm", deadline::never()))
};

ROW(registry_watch_row, registry_row, "registry_watch::changed") {
  using registry_row::registry_row;
  registry_watch watch{files, "pm"};
  task<> prepare() override {
    list_in(directory.path());
    const auto none = co_await files.list("pm", deadline::never());
    REQUIRE(none);
  }
  AWAIT(watch.changed())
};

ROW(keep_looking_row, registry_row, "keep_looking") {
  using registry_row::registry_row;
  bool seen = false;
  task<std::optional<std::chrono::nanoseconds>> look() {
    const auto servers = co_await files.list("pm", deadline::never());
    seen = servers && !servers->empty();
    if (seen) co_return std::nullopt;
    co_return std::chrono::nanoseconds(std::chrono::seconds(60));
  }
  task<outcome> wait() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    const auto make_watch = [this] { return registry_watch(files, "pm"); };
    const auto look_once = [this] { return look(); };
    const auto report = [](const std::string&) {};
    const retry_pauses pauses{std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
    co_await keep_looking(make_watch, look_once, report, pauses);
    if (seen) co_return outcome{true, {}, stop_reason::none};
    co_return outcome{false, std::make_error_code(std::errc::operation_canceled),
                      here.stop.reason()};
  }
};

ROW(registry_resolver_changed_row, registry_row, "registry_resolver::changed") {
  using registry_row::registry_row;
  std::optional<registry_resolver> servers;
  task<> prepare() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, files, "pm");
  }
  AWAIT(servers->changed())
  bool can_wait_again() const override { return false; }  // it tells what comes, not what was
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(registry_resolver_close_row, registry_row, "registry_resolver::close") {
  using registry_row::registry_row;
  task<outcome> wait() override {
    list_in(directory.path());
    const auto here = co_await current_context();
    registry_resolver servers(here, files, "pm");
    co_await servers.close();
    co_return outcome{true, {}, stop_reason::none};
  }
  void complete() override {}
  bool can_be_cancelled() const override { return false; }
};
#endif

}  // namespace
