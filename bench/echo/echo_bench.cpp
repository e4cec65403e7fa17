// Measures echo servers: messages per second and processor time per message. Each server is a
// process of its own, pinned to one core, under the same load from another; the servers take turns.
//   echo-bench messages ROUNDS MESSAGES SERVER...    a table, ratios to the first server
//   echo-bench accepts ROUNDS CONNECTIONS SERVER...  connections made, used once and closed
//   echo-bench threads ROUNDS MESSAGES SERVER DIR    a server that computes, on one and two threads
//   echo-bench load PORT CONNECTIONS BYTES MESSAGES  the load alone, for a profiler
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
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
  client(int port, std::size_t size)
      : message_(size, 'x'), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
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
  /// Returns true once the whole message is back.
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

/// Returns messages per second.
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

void unpin() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int i = 0; i < ::sysconf(_SC_NPROCESSORS_ONLN); ++i) CPU_SET(i, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

/// A server, pinned to the first processor unless it wants more; its port is read from its output.
class server {
 public:
  explicit server(std::vector<std::string> command, bool pinned = true) {
    std::vector<char*> words;
    for (auto& each : command) words.push_back(each.data());
    words.push_back(nullptr);
    int out[2];
    must(::pipe(out) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (pinned)
        pin_to(0);
      else
        unpin();
      ::dup2(out[1], 1);
      ::close(out[0]);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ::close(out[1]);
    char text[16] = "";
    must(::read(out[0], text, sizeof text - 1) > 0);
    ::close(out[0]);
    port_ = std::atoi(text);
  }
  int port() const { return port_; }
  /// Ends it; returns the processor time that it used, in seconds.
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
  std::vector<double> rates, costs;  ///< messages per second, server's microseconds per message
};

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

void print(const std::string& title, const std::string& unit, std::vector<measured>& all) {
  fmt::print("\n{}\n{:<28}{:>14}{:>8}{:>16}{:>8}\n", title, "", unit + "s/s", "ratio",
             "server us each", "ratio");
  for (auto& each : all)
    fmt::print("{:<28}{:>14.0f}{:>8.2f}{:>16.2f}{:>8.2f}\n", each.name, median(each.rates),
               median(each.rates) / median(all[0].rates), median(each.costs),
               median(each.costs) / median(all[0].costs));
  std::fflush(stdout);
}

/// `apply` returns a rate. Each server has its turn in each round; the first round is a warm-up.
template <typename Apply>
std::vector<measured> in_turns(const std::vector<std::string>& programs, int rounds, long count,
                               Apply apply) {
  std::vector<measured> all;
  for (const auto& each : programs)
    all.push_back({std::filesystem::path(each).filename().string(), {}, {}});
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t i = 0; i < programs.size(); ++i) {
      server one({programs[i]});
      const double rate = apply(one.port());
      const double seconds = one.end();
      if (round < 0) continue;
      all[i].rates.push_back(rate);
      all[i].costs.push_back(seconds * 1e6 / static_cast<double>(count));
    }
  }
  return all;
}

void measure_messages(const std::vector<std::string>& programs, int rounds, int connections,
                      std::size_t size, long messages) {
  auto all = in_turns(programs, rounds, messages,
                      [&](int port) { return load(port, connections, size, messages); });
  print(fmt::format("echo, {} connections, {} bytes, medians of {} rounds of {} messages",
                    connections, size, rounds, messages),
        "message", all);
}

/// Returns connections per second, each opened, used for one message and reset.
double connect_often(int port, long count) {
  const auto begun = std::chrono::steady_clock::now();
  for (long i = 0; i < count; ++i) {
    client one(port, 64);
    const linger at_once{1, 0};
    ::setsockopt(one.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    one.send();
    while (!one.receive()) {
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return static_cast<double>(count) / took.count();
}

void measure_accepts(const std::vector<std::string>& programs, int rounds, long count) {
  auto all =
      in_turns(programs, rounds, count, [&](int port) { return connect_often(port, count); });
  print(fmt::format("connections made, used once and closed, medians of {} rounds of {}", rounds,
                    count),
        "connection", all);
}

double processor_seconds() {
  timespec used;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

void measure_threads(const std::string& program, const std::string& directory, int rounds,
                     long messages) {
  unpin();
  std::vector<double> rates[2], client_shares[2];
  for (int round = 0; round < rounds; ++round) {
    for (const int threads : {1, 2}) {
      server one({program, std::to_string(threads), "200", directory}, false);
      const double before = processor_seconds();
      const double rate = load(one.port(), 64, 64, messages);
      const double seconds = static_cast<double>(messages) / rate;
      rates[threads - 1].push_back(rate);
      client_shares[threads - 1].push_back((processor_seconds() - before) / seconds);
      one.end();
    }
  }
  fmt::print("\n200 us of work a message, 64 connections, medians of {} rounds of {} messages\n",
             rounds, messages);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    fmt::print(
        "{} thread(s): {:.0f} messages/s, ratio {:.2f}; the client used {:.1f} % of one "
        "processor\n",
        i + 1, median(rates[i]), median(rates[i]) / median(rates[0]),
        100 * median(client_shares[i]));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string what = words.empty() ? "" : words[0];
  if (words.size() == 5 && what == "load") {
    load(std::stoi(words[1]), std::stoi(words[2]), std::stoul(words[3]), std::stol(words[4]));
    return 0;
  }
  if (words.size() < 4) {
    fmt::print(stderr,
               "usage: echo-bench messages|accepts ROUNDS COUNT SERVER... | threads ROUNDS COUNT "
               "SERVER DIRECTORY | load PORT CONNECTIONS BYTES MESSAGES\n");
    return 2;
  }
  pin_to(1);
  const int rounds = std::stoi(words[1]);
  const long count = std::stol(words[2]);
  const std::vector<std::string> programs(words.begin() + 3, words.end());
  if (what == "accepts") measure_accepts(programs, rounds, count);
  if (what == "threads") measure_threads(words.at(3), words.at(4), rounds, count);
  if (what != "messages") return 0;
  for (const int connections : {1, 50, 500})
    for (const std::size_t size : {std::size_t{64}, std::size_t{16 * 1024}})
      measure_messages(programs, rounds, connections, size,
                       (connections == 1 ? count / 4 : count) / (size > 64 ? 4 : 1));
}
