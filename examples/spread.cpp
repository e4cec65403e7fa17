// A client of an application that runs on several machines: prints whose turn it is, ten times.
// usage: spread etcd://HOST:PORT APPLICATION
#include <cstdio>

#include <berth/client/registry_resolver.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/plugins/etcd_registry.hpp>

using namespace std::chrono_literals;

berth::task<> take_turns(std::string url, std::string application) {
  const auto here = co_await berth::current_context();
  berth::etcd_registry registry(berth::event_loop::of(here), berth::etcd_location(url));
  berth::registry_resolver servers(here, registry, application);
  const auto known = co_await servers.changed(berth::deadline::after(5s));
  for (int turn = 0; known && turn < 10; ++turn)
    if (const auto server = servers.next())  // and servers.failed(*server) if it does not answer
      std::printf("%s\n", berth::url_of(*server).c_str());
  co_await servers.close();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    berth::run(take_turns(argv[1], argv[2]));
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    return 1;
  }
}
