// Other ways to find a server, each asked for the same record of a few hundred bytes, on the same
// processor and over loopback. One whose program or library is not installed is skipped, with a
// line that says what is missing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../child.hpp"
#include "../harness.hpp"

namespace bench {

/// The path of the program; empty if it is not installed.
std::string program(const std::string& name);
/// A port of the loopback address that is free at this moment.
std::uint16_t free_port();
/// Waits until `ready` returns true, for ten seconds at most; returns false after that.
template <typename Ready>
bool comes_true(Ready ready) {
  for (int turn = 0; turn < 1000; ++turn) {
    if (ready()) return true;
    ::usleep(10'000);
  }
  return false;
}

/// Objects that must exist until the measurements have ended.
using kept = std::vector<std::shared_ptr<void>>;

kept add_others(const fs::path& scratch, const std::string& text);

void add_redis(kept& servers, const fs::path& scratch, const std::string& text);
void add_etcd(kept& servers, const fs::path& scratch, const std::string& text);
void add_dbus(kept& servers, const fs::path& scratch);
void add_epmd(kept& servers);
void add_avahi(kept& servers);
void add_jupyter(kept& servers, const fs::path& scratch);

}  // namespace bench
