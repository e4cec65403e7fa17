// Finds the echo server of this directory, with neither libuv nor coroutines.
#include <cstdio>
#include <exception>

#include <berth/config/directory.hpp>
#include <berth/discovery/port_file.hpp>

int main() {
  try {
    const berth::location where("echo", berth::config_directory("echo"));
    if (const auto server = berth::read_live(where))
      std::printf("%s\n", berth::url_of(*server).c_str());
    else
      std::printf("there is none\n");
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    return 1;
  }
}
