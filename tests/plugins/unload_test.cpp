// Loading and unloading plugins leaks nothing.
#include <malloc.h>

#include <string>
#include <vector>

#include <berth/io/event_loop.hpp>
#include <berth/plugin/plugin_host.hpp>

#include "plugins/plugged.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace plugins_test;

namespace {

struct bare_services final : plugin_services {
  const location& where() const noexcept override { return place; }
  void count(berth_counters&) const noexcept override {}
  bool use_listener(int) noexcept override { return false; }
  location place{"pm", "/nonexistent"};
};

task<> load_and_unload(const std::vector<plugin_settings>& plugins) {
  const auto here = co_await current_context();
  service_hooks hooks;
  bare_services services;
  plugin_host host(hooks, services);
  for (const auto& each : plugins) host.load(each);
  host.start(event_loop::of(here));
  co_await hooks.ready.fire();
  co_await host.stop();
  REQUIRE(hooks.ready.empty());
}

}  // namespace

TEST_CASE("loading and unloading a thousand times leaves nothing behind") {
  const std::vector<plugin_settings> plugins = {
      {PLUGIN_UNRULY, {{"at", "ready"}, {"does", "twice"}}},
      {PLUGIN_SLEEPY, {{"at", "ready"}, {"does", "sleep"}}}};
  event_loop loop;
  std::size_t used = 0;
  for (int round = 0; round < 1000; ++round) {
    if (round == 100) used = ::mallinfo2().uordblks;
    loop.run(load_and_unload(plugins));
  }
  REQUIRE(::mallinfo2().uordblks < used + 16 * 1024);
  const std::string maps = test::read_text("/proc/self/maps");
  // The loader keeps the other for as long as the thread that has data of its own in it.
  REQUIRE_THAT(maps, !Catch::Contains(PLUGIN_UNRULY));
  REQUIRE(loop.open_handles().empty());
}
