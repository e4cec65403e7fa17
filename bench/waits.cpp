#include "waits.hpp"

#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <random>

#include <berth/client/async.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>

#include "harness.hpp"

namespace bench {

using namespace berth;

record ours() { return describe_this_process("127.0.0.1", 8080, "1.0.0"); }

location below(const fs::path& root, const char* name) {
  const location where("pm", root / name);
  fs::create_directory(where.directory);
  fs::permissions(where.directory, fs::perms(0700));
  return where;
}

// Closing the watch takes the kernel up to 20 ms more.
task<std::int64_t> moment_of_live(location where) {
  const auto found = co_await async::wait_live(where);
  must(found.has_value());
  co_return nanoseconds_now();
}

namespace {

std::int64_t wait_by_inotify(const location& where) {
  const int watch = ::inotify_init1(IN_CLOEXEC);
  must(::inotify_add_watch(watch, where.directory.c_str(), IN_MOVED_TO) >= 0);
  alignas(inotify_event) char events[4096];
  must(::read(watch, events, sizeof events) > 0);
  const auto now = nanoseconds_now();
  ::close(watch);
  return now;
}

std::int64_t wait_by_polling(const location& where, int milliseconds) {
  while (!read_live(where)) ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
  return nanoseconds_now();
}

class waiting_client {
 public:
  waiting_client(const std::string& how, const location& where) {
    int to[2], from[2];
    must(::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0);
    if (::fork() == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      ::execl("/proc/self/exe", "process-bench", "--wait", how.c_str(), where.directory.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    requests_ = to[1];
    answers_ = from[0];
  }
  waiting_client(const waiting_client&) = delete;
  waiting_client& operator=(const waiting_client&) = delete;
  ~waiting_client() {  // which ends it
    ::close(requests_);
    ::close(answers_);
    ::wait(nullptr);
  }

  void begin() { must(::write(requests_, "w", 1) == 1); }
  std::int64_t moment() {
    std::int64_t at = 0;
    must(::read(answers_, &at, sizeof at) == sizeof at);
    return at;
  }

 private:
  int requests_, answers_;
};

/// `publish` returns the moment at which it began.
template <typename Publish, typename Remove>
void add_wait(const std::string& name, int calls, const std::string& how, int period_ms,
              const location& where, Publish publish, Remove remove) {
  const auto body = [=](benchmark::State& state) {
    waiting_client client(how, where);
    samples taken;
    std::minstd_rand random(1);
    for (auto _ : state) {
      client.begin();
      ::usleep(
          static_cast<useconds_t>(3000 + random() % (1000u * static_cast<unsigned>(period_ms))));
      const auto begun = publish();
      taken.add(static_cast<double>(client.moment() - begun) / 1000);
      remove();
    }
    taken.report(state);
  };
  benchmark::RegisterBenchmark(("discoverable/" + name).c_str(), body)->Iterations(calls);
}

}  // namespace

int wait_for_publications(const std::string& how, const location& where) {
  pin_to(1);
  char told;
  while (::read(0, &told, 1) == 1) {
    const auto now = how == "inotify"     ? wait_by_inotify(where)
                     : how == "wait_live" ? berth::run(moment_of_live(where))
                                          : wait_by_polling(where, std::stoi(how));
    must(::write(1, &now, sizeof now) == sizeof now);
  }
  return 0;
}

void add_waits(const fs::path& root) {
  const location where = below(root, "waited-for");
  const std::string file = where.port_file().string(), text = format_record(ours());
  const auto rename = [file, text] {
    const std::string made = file + ".made";
    std::ofstream(made) << text;
    const auto begun = nanoseconds_now();
    must(::rename(made.c_str(), file.c_str()) == 0);
    return begun;
  };
  const auto unlink = [file] { must(::unlink(file.c_str()) == 0); };
  const auto bare = std::make_shared<bare_publication>();
  const auto bare_publish = [bare, file, text] {
    const auto begun = nanoseconds_now();
    bare->publish(file, text, false);
    return begun;
  };
  const auto bare_remove = [bare, file] { bare->remove(file); };
  const auto owned = std::make_shared<std::optional<claim>>();
  const auto publish = [owned, where] {
    const record server = ours();
    const auto begun = nanoseconds_now();
    owned->emplace(where, server);
    return begun;
  };
  const auto remove = [owned] { owned->reset(); };
  add_wait("a bare rename, seen by inotify", 100, "inotify", 1, where, rename, unlink);
  add_wait("the bare calls of a publish, seen by inotify", 100, "inotify", 1, where, bare_publish,
           bare_remove);
  add_wait("publish, seen by wait_live", 100, "wait_live", 1, where, publish, remove);
  add_wait("publish, seen by polling each 10 ms", 40, "10", 10, where, publish, remove);
  add_wait("publish, seen by polling each 100 ms", 8, "100", 100, where, publish, remove);
}

}  // namespace bench
