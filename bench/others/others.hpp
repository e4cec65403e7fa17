// What people use to find a server instead, each asked for the same record of a few hundred bytes,
// on the same processor and over loopback: registered where its program and its library are
// installed, else skipped with a line that says what is missing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../child.hpp"
#include "../harness.hpp"

namespace bench {

/// Where the program is; empty where it is not installed.
std::string program(const std::string& name);
/// A port of the loopback address that is free at this moment.
std::uint16_t free_port();
/// Until `ready` is true, for ten seconds at most; false then.
template <typename Ready>
bool comes_true(Ready ready) {
  for (int turn = 0; turn < 1000; ++turn) {
    if (ready()) return true;
    ::usleep(10'000);
  }
  return false;
}

/// What keeps running until the measurements have ended.
using kept = std::vector<std::shared_ptr<void>>;

kept add_others(const fs::path& scratch, const std::string& text);

void add_redis(kept& servers, const fs::path& scratch, const std::string& text);
void add_etcd(kept& servers, const fs::path& scratch, const std::string& text);
void add_dbus(kept& servers, const fs::path& scratch);
void add_epmd(kept& servers);
void add_avahi(kept& servers);
void add_jupyter(kept& servers, const fs::path& scratch);

}  // namespace bench
