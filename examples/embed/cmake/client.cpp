// Prints where hello listens.
#include <cstdio>
#include <exception>

#include <berth/config/directory.hpp>
#include <berth/discovery/port_file.hpp>

int main() {
  try {
    const berth::location where("hello", berth::config_directory("hello"));
    const auto server = berth::read_live(where);
    if (!server) return 3;
    std::puts(berth::url_of(*server).c_str());
    return 0;
  } catch (const std::exception& refused) {
    std::fprintf(stderr, "%s\n", refused.what());
    return 1;
  }
}
