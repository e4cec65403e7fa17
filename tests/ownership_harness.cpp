// Shows that the promises of ownership hold under races, at scale. Each scenario runs alone, with
// its counts as arguments, says what it did and fails where it saw what must never be:
//   ownership-harness race CONTENDERS ROUNDS fresh|stale
//   ownership-harness clean READERS ROUNDS
//   ownership-harness storm READS
//   ownership-harness steady READS
//   ownership-harness late ROUNDS
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "support/temporary_directory.hpp"

namespace {

using namespace berth;

/// What the processes of one round share.
struct shared_state {
  std::atomic<int> arrived, released, done, winners, winner, wrong;
  void reset() { arrived = released = done = winners = winner = wrong = 0; }
};

shared_state& shared() {
  static auto* const state = static_cast<shared_state*>(::mmap(
      nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *state;
}

/// Processes that begin their work at the same instant, and are killed at the end of the round.
class contenders {
 public:
  contenders(int count, const std::function<void(int)>& work) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ++shared().arrived;
        while (!shared().released) ::sched_yield();
        work(i);
        ++shared().done;
        for (;;) ::pause();
      }
      children_.push_back(child);
    }
    await_all(shared().arrived);
    shared().released = 1;
    await_all(shared().done);
  }
  contenders(const contenders&) = delete;
  contenders& operator=(const contenders&) = delete;
  ~contenders() { end(); }
  void end() {
    for (const pid_t child : children_) ::kill(child, SIGKILL);
    for (const pid_t child : children_) ::waitpid(child, nullptr, 0);
    children_.clear();
  }

 private:
  /// A child that ends meanwhile would be waited for without end: it is a failure of its own.
  void await_all(const std::atomic<int>& counter) {
    while (counter.load() < static_cast<int>(children_.size())) {
      ::sched_yield();
      for (const pid_t child : children_) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) != child) continue;
        fmt::print("a contender ended with status {:#x}\n0 passed, 1 failed\n", status);
        std::fflush(stdout);
        std::_Exit(1);
      }
    }
  }

  std::vector<pid_t> children_;
};

record ours() {
  auto made = describe_this_process("127.0.0.1", 8080, "1");
  // Records of different lengths, so that a mixed file would show.
  made.metadata["padding"] = std::string(static_cast<std::size_t>(::getpid()) % 97, 'x');
  made.metadata["pid"] = std::to_string(::getpid());
  return made;
}

bool whole(const record& found) {
  return found.metadata.contains("pid") && found.metadata.at("pid") == std::to_string(found.pid) &&
         found.metadata.at("padding").size() == found.pid % 97;
}

/// Publishes for as long as the process lives.
bool start_server(const location& where) {
  static std::optional<claim> owned;
  try {
    owned.emplace(where, ours());
    return true;
  } catch (const already_running&) {
    return false;
  }
}

void leave_stale(const location& where) {
  const pid_t child = ::fork();
  if (child == 0) {
    start_server(where);
    ::_exit(0);  // without destructors: the file stays
  }
  ::waitpid(child, nullptr, 0);
}

int race(int count, int rounds, bool stale) {
  int not_one = 0, wrong = 0, left_alive = 0;
  for (int round = 0; round < rounds; ++round) {
    const test::temporary_directory directory;
    const location where("pm", directory.path());
    if (stale) leave_stale(where);
    shared().reset();
    contenders all(count, [&](int) {
      if (!start_server(where)) return;
      ++shared().winners;
      shared().winner = ::getpid();
    });
    not_one += shared().winners != 1;
    const auto live = read_live(where);
    wrong += !live || !whole(*live) || static_cast<int>(live->pid) != shared().winner;
    all.end();
    left_alive += read_live(where).has_value();
  }
  fmt::print(
      "race: {} contenders, {} rounds over {}: {} without just one winner, {} with another "
      "one in the file, {} found alive when killed\n",
      count, rounds, stale ? "a stale file" : "nothing", not_one, wrong, left_alive);
  return not_one + wrong + left_alive;
}

/// Spins for up to that many microseconds, so that every order of what follows comes about.
void stagger(int most) {
  std::minstd_rand random(static_cast<unsigned>(::getpid()));
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::microseconds(random() % static_cast<unsigned>(most));
  while (std::chrono::steady_clock::now() < end) {
  }
}

int clean(int readers, int rounds) {
  int lost = 0, refused = 0;
  for (int round = 0; round < rounds; ++round) {
    const test::temporary_directory directory;
    const location where("pm", directory.path());
    leave_stale(where);
    shared().reset();
    contenders all(readers + 1, [&](int i) {
      stagger(60);
      if (i != readers / 2)
        (void)read_live(where);
      else if (!start_server(where))
        ++shared().wrong;
    });
    refused += shared().wrong;
    lost += !read_live(where).has_value();
  }
  fmt::print(
      "clean: {} cleaners against a starter, {} rounds: {} live files lost, {} starters "
      "refused\n",
      readers, rounds, lost, refused);
  return lost + refused;
}

/// Publishes again and again until it is killed; every so often as a new server.
void publish_without_end(const location& where) {
  for (;;) {
    const pid_t server = ::fork();
    if (server == 0) {
      ::alarm(20);
      claim owned(where, ours());
      for (int i = 0; i < 200; ++i) owned.publish(ours());
      if (::getpid() % 2) ::_exit(0);  // a stale file
      owned.remove();
      ::_exit(0);
    }
    ::waitpid(server, nullptr, 0);
  }
}

int storm(long reads) {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  const pid_t writer = ::fork();
  if (writer == 0) publish_without_end(where);
  long live = 0, stale = 0, none = 0, torn = 0;
  for (long i = 0; i < reads; ++i) {
    try {
      const auto found = examine(where);
      if (!found)
        ++none;
      else if (!whole(found->server))
        ++torn;
      else if (found->stale())
        ++stale;
      else
        ++live;
    } catch (const error& failed) {
      if (++torn < 5) fmt::print("{}\n", failed.what());
    }
  }
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  fmt::print(
      "storm: {} reads while it was published without end: {} live, {} stale, {} none, {} "
      "empty, partial or mixed\n",
      reads, live, stale, none, torn);
  return static_cast<int>(torn) + (live == 0);
}

/// One owner publishes without end and never dies: whoever looks finds it, always.
int steady(long reads) {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  shared().reset();
  contenders writer(1, [&](int) {
    claim owned(where, ours());
    ++shared().done;
    for (;;) owned.publish(ours());
  });
  long missed = 0;
  for (long i = 0; i < reads; ++i) missed += !read_live(where).has_value();
  fmt::print("steady: {} look-ups while a living server published without end: {} missed it\n",
             reads, missed);
  return static_cast<int>(missed);
}

/// A previous owner, whose files something deleted, stops while a new one serves.
int late(int rounds) {
  int lost = 0;
  for (int round = 0; round < rounds; ++round) {
    const test::temporary_directory directory;
    const location where("pm", directory.path());
    claim previous(where, ours());
    std::filesystem::remove(where.port_file());
    std::filesystem::remove(where.lock_file());
    shared().reset();
    contenders all(1, [&](int) { start_server(where); });
    previous.remove();
    lost += !read_live(where).has_value();
  }
  fmt::print("late: a previous owner stops beside a new one, {} rounds: {} live files lost\n",
             rounds, lost);
  return lost;
}

int run(const std::vector<std::string>& words) {
  const auto number = [&](std::size_t i) { return std::stol(words.at(i)); };
  if (words.at(0) == "race")
    return race(static_cast<int>(number(1)), static_cast<int>(number(2)), words.at(3) == "stale");
  if (words.at(0) == "clean")
    return clean(static_cast<int>(number(1)), static_cast<int>(number(2)));
  if (words.at(0) == "storm") return storm(number(1));
  if (words.at(0) == "steady") return steady(number(1));
  if (words.at(0) == "late") return late(static_cast<int>(number(1)));
  throw std::invalid_argument("no such scenario");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int faults = run({argv + 1, argv + argc});
    fmt::print("{} passed, {} failed\n", faults ? 0 : 1, faults ? 1 : 0);
    return faults ? 1 : 0;
  } catch (const std::logic_error&) {
    fmt::print(stderr,
               "usage: ownership-harness race N ROUNDS fresh|stale | clean READERS ROUNDS | storm "
               "READS | steady READS | late ROUNDS\n");
    return 2;
  }
}
