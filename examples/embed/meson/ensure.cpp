// Prints where hello listens, and starts it if it does not run: hello-ensure PROGRAM [ARGUMENT...]
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <berth/client/ensure.hpp>
#include <berth/config/directory.hpp>
#include <berth/io/event_loop.hpp>

int main(int argc, char** argv) {
  const std::vector<std::string> command(argv + 1, argv + argc);
  if (command.empty()) return 2;
  try {
    const berth::location where("hello", berth::config_directory("hello"));
    const auto server = berth::run(berth::ensure(where, command));
    if (!server) return 5;
    std::puts(berth::url_of(*server).c_str());
    return 0;
  } catch (const std::exception& refused) {
    std::fprintf(stderr, "%s\n", refused.what());
    return 1;
  }
}
