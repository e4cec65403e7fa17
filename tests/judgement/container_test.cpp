// Which server a file names across machines, containers and overlays.
#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <vector>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "judgement/mounts.hpp"
#include "judgement/place.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace judgement_test;
namespace fs = std::filesystem;

TEST_CASE("equal boot ids mean this kernel, whatever the machine is called") {
  record server = describe_this_process("127.0.0.1", 8080, "1");
  const lock_liveness strategy;
  const auto judge = [&](lock_view view = lock_view::direct) {
    return strategy.judge({server, lock_state::free, view}).state;
  };
  REQUIRE(judge() == liveness::dead);
  server.origin.host_id = "another";
  server.origin.pid_namespace += 1;
  REQUIRE(judge() == liveness::dead);
  server.origin.boot_id = "another";
  REQUIRE(judge() == liveness::unknown);
  server.origin.host_id = origin_of_this_system().host_id;
  REQUIRE(judge() == liveness::dead);  // booted again
  server.origin.host_id.clear();
  REQUIRE(judge() == liveness::unknown);
}

TEST_CASE("a free lock proves nothing where locks are hidden or may be lost") {
  record server = describe_this_process("127.0.0.1", 8080, "1");
  const auto judge = [&](const liveness_strategy& strategy, lock_view view) {
    return strategy.judge({server, lock_state::free, view}).state;
  };
  const lock_liveness lock;
  const process_liveness process;
  REQUIRE(judge(lock, lock_view::remote) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::same_layers) == liveness::unknown);
  REQUIRE(judge(process, lock_view::remote) == liveness::alive);
  REQUIRE(judge(process, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(process, lock_view::same_layers) == liveness::unknown);
  server.origin.pid_namespace += 1;
  REQUIRE(judge(lock, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::same_layers) == liveness::dead);
}

TEST_CASE("the file of a container that was killed does not outlive it") {
  const place at;
  const auto contained = [&](const std::string& name, const std::string& work) {
    test::write_text(at.directory.path() / "none", "");
    return test::run({"unshare", "-p", "-f", "-m", "-u", "--mount-proc", "sh", "-c",
                      fmt::format("hostname {} && mount --bind {}/none /etc/machine-id && {}", name,
                                  at.directory.path().string(), work)});
  };
  const std::string berth =
      fmt::format("{} --config-dir {}", BERTH_COMMAND, at.directory.path().string());
  const auto killed = contained(
      "box1", fmt::format("({} announce --port 8080 & p=$!; {} wait --timeout 20; kill -9 $p)",
                          berth, berth));
  if (killed.status != 0) {
    WARN("skipped: no right to make namespaces: " << killed.err);
    return;
  }
  REQUIRE(fs::exists(at.file));
  const auto judged = contained("box2", berth + " status");
  REQUIRE(judged.status == 3);
  REQUIRE_THAT(judged.out, Catch::Contains("dead (the file's lock is free"));
}

namespace {

/// An overlay of `lower`, mounted at merged().
class overlay {
 public:
  overlay(const fs::path& below, const fs::path& lower)
      : merged_(below / "merged"),
        options_(fmt::format("lowerdir={},upperdir={},workdir={}", lower.string(),
                             (below / "upper").string(), (below / "work").string())) {
    for (const char* each : {"merged", "upper", "work"}) fs::create_directories(below / each);
  }
  bool mount() const {
    return ::mount("overlay", merged_.c_str(), "overlay", 0, options_.c_str()) == 0;
  }
  void unmount() const { ::umount2(merged_.c_str(), MNT_DETACH); }
  const fs::path& merged() const { return merged_; }

 private:
  fs::path merged_;
  std::string options_;
};

}  // namespace

TEST_CASE("a live server is not called dead through an overlay of its directory") {
  const place at;
  const test::temporary_directory layers;
  const overlay over(layers.path(), at.directory.path());
  for (const bool contained : {false, true}) {
    std::vector<std::string> command{BERTH_COMMAND, "--config-dir", at.directory.path().string(),
                                     "announce",    "--port",       "8080"};
    if (contained) command.insert(command.begin(), {"unshare", "-p", "-f", "--kill-child"});
    test::process server(command);
    const bool published =
        test::eventually([&] { return !server.running() || read_live(at.where); });
    REQUIRE(published);
    if (!server.running()) {
      WARN("skipped: no right to make pid namespaces");
      continue;
    }
    const int seen = with_mounts([&] {
      if (!over.mount()) return missing_right;
      const location where("pm", over.merged());
      if (examine(where)->judged.state != liveness::unknown) return 1;
      if (!read_live(where) || !fs::exists(where.port_file())) return 2;
      try {
        const claim second(where, describe_this_process("127.0.0.1", 8081, "1"));
        return 3;
      } catch (const already_running&) {
      }
      if (contained) return 0;
      server.signal(SIGKILL);  // the parent collects it
      return test::eventually([&] { return examine(where)->stale(); }) ? 0 : 4;
    });
    REQUIRE(seen == 0);
    server.signal(SIGKILL);
    server.wait();
    REQUIRE(test::eventually([&] { return !read_live(at.where); }));
  }
}

TEST_CASE("a server that was killed on an overlay is found dead, in whatever container it was") {
  const test::temporary_directory lower, layers, more_layers;
  const overlay over(layers.path(), lower.path());
  const auto serve = [&](bool contained) {
    std::vector<std::string> command{BERTH_COMMAND, "--config-dir", over.merged().string(),
                                     "announce",    "--port",       "8080"};
    if (contained) command.insert(command.begin(), {"unshare", "-p", "-f", "--kill-child"});
    return command;
  };
  for (const bool contained : {false, true}) {
    const int seen = with_mounts([&] {
      if (!over.mount()) return missing_right;
      fs::permissions(over.merged(), fs::perms(0700));
      const location where("pm", over.merged());
      {
        test::process server(serve(contained));
        if (!test::eventually([&] { return !server.running() || read_live(where); })) return 1;
        if (!server.running()) return missing_right;
        if (examine(where)->judged.state != liveness::alive) return 2;
        if (read(where)->volume.empty()) return 3;
        const overlay nested(more_layers.path(), over.merged());
        if (!nested.mount()) return 4;
        if (examine(location("pm", nested.merged()))->judged.state != liveness::unknown) return 5;
        nested.unmount();
        server.signal(SIGKILL);
        server.wait();
      }
      if (!test::eventually([&] { return examine(where)->stale(); })) return 6;
      over.unmount();
      if (!over.mount()) return 7;
      if (!examine(where)->stale()) return 8;
      return read_live(where) || fs::exists(where.port_file()) ? 9 : 0;
    });
    REQUIRE(seen == 0);
  }
}
