// Rows for resolvers and the watches below them.
#include <optional>

#include <berth/client/change_watch.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/client/resolver.hpp>

#include "cancel_matrix/published_row.hpp"

using namespace berth;
using namespace cancel_matrix_test;

namespace {

ROW(resolver_changed_row, published_row, "resolver::changed") {
  using published_row::published_row;
  std::optional<resolver> servers;
  task<> prepare() override {
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, where);
  }
  AWAIT(servers->changed())
  void complete() override {
    if (owned)
      owned.reset();
    else
      owned.emplace(where, discovery_row::ours());
  }
  bool can_wait_again() const override { return false; }  // it tells what comes, not what was
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(resolver_live_row, published_row, "resolver::live") {
  using published_row::published_row;
  std::optional<resolver> servers;
  task<> prepare() override {
    const auto here = co_await current_context();
    execution_context unstopped;
    unstopped.loop = here.loop;
    servers.emplace(unstopped, where);
  }
  AWAIT(servers->live())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
  task<> tidy() override {
    co_await servers->close();
    co_await row::tidy();
  }
};

ROW(resolver_close_row, published_row, "resolver_base::close") {
  using published_row::published_row;
  task<outcome> wait() override {
    const auto here = co_await current_context();
    resolver servers(here, where);
    co_await servers.close();
    co_return outcome{true, {}, stop_reason::none};
  }
  void complete() override {}
  bool can_be_cancelled() const override { return false; }
};

ROW(change_watch_row, published_row, "change_watch::next") {
  using published_row::published_row;
  change_watch watch{loop, where.directory};
  AWAIT(watch.next())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

ROW(lookup_watch_row, published_row, "lookup_watch::changed") {
  using published_row::published_row;
  lookup_watch watch{loop, where};
  AWAIT(watch.changed())
  void complete() override { owned.emplace(where, discovery_row::ours()); }
};

}  // namespace
