// Messages a second and processor time a message of echo servers, each a process of its own,
// pinned to one core, under the same load from another; taken in turns.
//   echo-bench ROUNDS MESSAGES SERVER...             a table, ratios to the first server
//   echo-bench load PORT CONNECTIONS BYTES MESSAGES  the load alone, for a profiler
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "../bare.hpp"
#include "../samples.hpp"

namespace {

using bench::must;

/// One connection that sends a message, waits until all of it is back, and sends the next.
class client {
 public:
  client(int port, std::size_t size) : message_(size, 'x'), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  client(client&& other) noexcept
      : message_(std::move(other.message_)), socket_(std::exchange(other.socket_, -1)) {}
  ~client() {
    if (socket_ >= 0) ::close(socket_);
  }
  int descriptor() const { return socket_; }
  void send() {
    must(::send(socket_, message_.data(), message_.size(), 0) ==
         static_cast<ssize_t>(message_.size()));
    missing_ = message_.size();
  }
  /// True when the message is back.
  bool receive() {
    const ssize_t got = ::recv(socket_, message_.data(), missing_, 0);
    must(got > 0);
    missing_ -= static_cast<std::size_t>(got);
    return missing_ == 0;
  }

 private:
  std::string message_;
  int socket_;
  std::size_t missing_ = 0;
};

/// Messages a second.
double load(int port, int connections, std::size_t size, long messages) {
  const int poll = ::epoll_create1(0);
  std::vector<client> clients;
  for (int i = 0; i < connections; ++i) clients.emplace_back(port, size);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = i;
    must(::epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].descriptor(), &wanted) == 0);
    clients[i].send();
  }
  const auto begun = std::chrono::steady_clock::now();
  std::array<epoll_event, 512> events;
  for (long done = 0; done < messages;) {
    const int ready = ::epoll_wait(poll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      client& one = clients[events[static_cast<std::size_t>(i)].data.u64];
      if (!one.receive()) continue;
      ++done;
      one.send();
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  ::close(poll);
  return static_cast<double>(messages) / took.count();
}

void pin_to(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

/// A server pinned to the first processor; its port read from its output.
class server {
 public:
  explicit server(const std::string& program) {
    int out[2];
    must(::pipe(out) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      pin_to(0);
      ::dup2(out[1], 1);
      ::close(out[0]);
      ::execl(program.c_str(), program.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    char text[16] = "";
    must(::read(out[0], text, sizeof text - 1) > 0);
    ::close(out[0]);
    port_ = std::atoi(text);
  }
  int port() const { return port_; }
  /// Ends it; the seconds of processor time that it has used.
  double end() {
    ::kill(pid_, SIGKILL);
    rusage used{};
    must(::wait4(pid_, nullptr, 0, &used) == pid_);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

 private:
  pid_t pid_ = -1;
  int port_ = 0;
};

struct measured {
  std::string name;
  std::vector<double> rates, costs;  ///< messages a second, microseconds of the server's a message
};

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

void measure(const std::vector<std::string>& programs, int rounds, int connections,
             std::size_t size, long messages) {
  std::vector<measured> all;
  for (const auto& each : programs)
    all.push_back({std::filesystem::path(each).filename().string(), {}, {}});
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t i = 0; i < programs.size(); ++i) {
      server one(programs[i]);
      const double rate = load(one.port(), connections, size, messages);
      const double seconds = one.end();
      if (round < 0) continue;  // warms up
      all[i].rates.push_back(rate);
      all[i].costs.push_back(seconds * 1e6 / static_cast<double>(messages));
    }
  }
  fmt::print("\necho, {} connections, {} bytes, medians of {} rounds of {} messages\n", connections,
             size, rounds, messages);
  fmt::print("{:<28}{:>12}{:>8}{:>16}{:>8}\n", "", "messages/s", "ratio", "server us/msg", "ratio");
  for (auto& each : all)
    fmt::print("{:<28}{:>12.0f}{:>8.2f}{:>16.2f}{:>8.2f}\n", each.name, median(each.rates),
               median(each.rates) / median(all[0].rates), median(each.costs),
               median(each.costs) / median(all[0].costs));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 5 && words[0] == "load") {
    load(std::stoi(words[1]), std::stoi(words[2]), std::stoul(words[3]), std::stol(words[4]));
    return 0;
  }
  if (words.size() < 3) {
    fmt::print(stderr, "usage: echo-bench ROUNDS MESSAGES SERVER... | load PORT CONNECTIONS BYTES MESSAGES\n");
    return 2;
  }
  pin_to(1);
  const int rounds = std::stoi(words[0]);
  const long messages = std::stol(words[1]);
  const std::vector<std::string> programs(words.begin() + 2, words.end());
  for (const int connections : {1, 50, 500})
    for (const std::size_t size : {std::size_t{64}, std::size_t{16 * 1024}})
      measure(programs, rounds, connections, size,
              (connections == 1 ? messages / 4 : messages) / (size > 64 ? 4 : 1));
}
