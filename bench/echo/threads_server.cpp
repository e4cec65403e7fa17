// A service on several threads whose handler computes for a while before it sends back what it
// received: threads-echo THREADS MICROSECONDS DIRECTORY. Prints its port.
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include <berth/service/service.hpp>

namespace {

using namespace berth;

/// Computes until it has used that much processor time.
void compute(std::chrono::nanoseconds time) {
  const auto used = [] {
    timespec now;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  for (const auto end = used() + time; used() < end;) {
  }
}

task<> echo(tcp_stream client, std::chrono::nanoseconds work) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    compute(work);
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

task<> print_port(const record& server) {
  std::printf("%d\n", server.port);
  std::fflush(stdout);
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::chrono::microseconds work(std::atoi(argv[2]));
  service serving("threads", "1");
  serving.threads(static_cast<std::size_t>(std::atoi(argv[1])));
  serving.on_connection([work](tcp_stream client) { return echo(std::move(client), work); });
  serving.hooks().published.add("port", print_port);
  const char* const words[] = {argv[0], "--config-dir", argv[3], "--log-level", "off"};
  return serving.run(5, words);
}
