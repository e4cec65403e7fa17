#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include <berth/base/unique_handle.hpp>
#include <berth/liveness/connect_probe.hpp>

namespace berth {
namespace {

struct free_addresses {
  void operator()(addrinfo* found) const noexcept { ::freeaddrinfo(found); }
};

int end_of_connect(int socket, std::chrono::milliseconds longest) noexcept {
  pollfd waiting{socket, POLLOUT, 0};
  if (::poll(&waiting, 1, static_cast<int>(longest.count())) <= 0) return ETIMEDOUT;
  int failure = 0;
  socklen_t size = sizeof failure;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

}  // namespace

probe_result probe_port(const std::string& host, std::uint16_t port,
                        std::chrono::milliseconds longest) noexcept {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0)
    return probe_result::no_answer;
  const std::unique_ptr<addrinfo, free_addresses> addresses(found);
  bool refused = false;
  for (const addrinfo* each = found; each; each = each->ai_next) {
    const unique_handle socket(::socket(each->ai_family, SOCK_STREAM, 0));
    if (!socket) continue;
    ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    int failure = ::connect(socket.get(), each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) failure = end_of_connect(socket.get(), longest);
    if (failure == 0) return probe_result::answered;
    refused = refused || failure == ECONNREFUSED;
  }
  return refused ? probe_result::refused : probe_result::no_answer;
}

}  // namespace berth
