#include <berth/liveness/this_process.hpp>

#include <random>

#include <fmt/format.h>

#include <berth/liveness/process.hpp>
#include <berth/record/started_at.hpp>
#include <berth/store/file_lock.hpp>

namespace berth {
namespace {

std::string random_id() {
  std::random_device source;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", source());
  return id;
}

}  // namespace

record describe_this_process(std::string host, std::uint16_t port, std::string version) {
  record made;
  made.pid = this_process_id();
  made.port = port;
  made.host = std::move(host);
  made.started_at = rfc3339_now();
  made.version = std::move(version);
  made.instance_id = random_id();
  made.lock = lock_mechanism;
  made.origin = origin_of_this_process();
  return made;
}

}  // namespace berth
