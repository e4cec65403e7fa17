// The Erlang port mapper; its protocol is in the ERTS documentation, "Distribution Protocol".
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "others.hpp"

namespace bench {
namespace {

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
  ::close(socket);
  return -1;
}

void send(int socket, const std::string& request) {
  const std::string length{static_cast<char>(request.size() >> 8),
                           static_cast<char>(request.size())};
  const std::string whole = length + request;
  must(::send(socket, whole.data(), whole.size(), 0) == static_cast<ssize_t>(whole.size()));
}

const std::string name = "server";

/// ALIVE2_REQ: the registration lasts as long as the connection.
int publish(int socket) {
  using namespace std::string_literals;
  send(socket, "x\x1F\x90\x4D\x00\x00\x06\x00\x05"s + '\0' + static_cast<char>(name.size()) + name +
                   "\0\0"s);
  char answer[8];
  return ::recv(socket, answer, sizeof answer, 0) >= 4 && answer[1] == 0 ? socket : -1;
}

/// PORT_PLEASE2_REQ: one connection per request, as in the protocol.
bool look_up(std::uint16_t port) {
  const int socket = connect_to(port);
  send(socket, "z" + name);
  char answer[128];
  const bool found = ::recv(socket, answer, sizeof answer, 0) >= 4 && answer[1] == 0;
  ::close(socket);
  return found;
}

}  // namespace

void add_epmd(kept& servers) {
  const std::string server = program("epmd");
  if (server.empty())
    return add_skipped("others/epmd", "epmd is not installed (apt-get install erlang-base)");
  const auto port = free_port();
  servers.push_back(std::make_shared<server_process>(
      std::vector<std::string>{server, "-port", std::to_string(port), "-address", "127.0.0.1"}));
  int socket = -1;
  if (!comes_true([&] { return (socket = connect_to(port)) >= 0; }) || publish(socket) < 0)
    return add_skipped("others/epmd", "epmd did not start");
  add("others/epmd port_please", 1000, [port] { must(look_up(port)); });
}

}  // namespace bench
