// Ownership, liveness, service and command line on Windows, by real processes.
#include <windows.h>

#include <array>
#include <berth/coro/task.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

record ours(std::uint16_t port = 8080) { return describe_this_process("127.0.0.1", port, "1"); }

struct place {
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  std::size_t files() const { return test::files_in(directory.path()); }
};

struct peer : test::process {
  explicit peer(std::vector<std::string> words) : process(with_program(std::move(words))) {}
  bool says(const std::string& word) {
    return test::eventually([&] { return out().find(word) != std::string::npos || !running(); }) &&
           out().find(word) != std::string::npos;
  }

 private:
  static std::vector<std::string> with_program(std::vector<std::string> words) {
    words.insert(words.begin(), WINDOWS_PEER);
    return words;
  }
};

/// What a writer that locks nothing would have written for that process.
record plain_record_of(std::uint32_t pid) {
  record made = ours();
  made.pid = pid;
  made.lock.clear();
  made.origin = {};
  return made;
}

verdict verdict_on(const record& server) {
  return process_liveness().judge({server, lock_state::free});
}

task<std::string> exchange(endpoint with, std::string text) {
  auto connected = co_await tcp_connect(with, deadline::after(10s));
  tcp_stream stream = std::move(connected).value("connect");
  const auto sent = co_await stream.write_all(text);
  sent.value("send");
  std::array<std::byte, 4096> buffer;
  const auto size = co_await stream.read_some(buffer, deadline::after(10s));
  if (!size) co_return size.error().message();
  co_return std::string(reinterpret_cast<const char*>(buffer.data()), *size);
}

}  // namespace

TEST_CASE("windows: what is published is read back, refuses others and is removed") {
  place at;
  {
    claim owned(at.where, ours(7));
    REQUIRE(read_live(at.where)->port == 7);
    REQUIRE(examine(at.where)->judged.reason == "its server holds the file's lock");
    REQUIRE_THROWS_AS(claim(at.where, ours(8)), already_running);
    owned.publish(ours(9));
    REQUIRE(read_live(at.where)->port == 9);
    REQUIRE(owned.intact());
    REQUIRE(at.files() == 2);
  }
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE(at.files() == 1);
}

TEST_CASE("windows: a server in another process is live until it is killed, then dead at once") {
  place at;
  peer server({"publish", at.directory.path().string()});
  REQUIRE(server.says("published"));
  REQUIRE(read_live(at.where)->pid == static_cast<std::uint32_t>(server.pid()));
  REQUIRE_THROWS_WITH(claim(at.where, ours()), Catch::Contains("is already running on port 8080"));
  server.signal(9);
  server.wait();
  REQUIRE(examine(at.where)->stale());
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE(at.files() == 1);
}

TEST_CASE("windows: of many that publish at once one does, and the file names it") {
  for (int round = 0; round < 10; ++round) {
    place at;
    if (round % 2) test::write_text(at.where.port_file(), format_record(plain_record_of(999996)));
    std::vector<std::unique_ptr<peer>> all;
    for (int i = 0; i < 6; ++i)
      all.push_back(std::make_unique<peer>(
          std::vector<std::string>{"publish", at.directory.path().string()}));
    const auto winners = [&] {
      std::vector<peer*> living;
      for (auto& each : all)
        if (each->running()) living.push_back(each.get());
      return living;
    };
    REQUIRE(test::eventually([&] { return winners().size() == 1; }));
    peer& winner = *winners().front();
    REQUIRE(winner.says("published"));
    REQUIRE(read_live(at.where)->pid == static_cast<std::uint32_t>(winner.pid()));
    for (auto& each : all)
      if (each.get() != &winner) REQUIRE(each->wait().status == 4);
  }
}

TEST_CASE("windows: a process is judged by whether it has ended, not by its exit code") {
  peer ended({"exit", "259"}), other({"exit", "0"});
  ended.wait();
  other.wait();
  for (const auto* each : {&ended, &other}) {
    const auto judged = verdict_on(plain_record_of(static_cast<std::uint32_t>(each->pid())));
    REQUIRE(judged.state == liveness::dead);
    REQUIRE_THAT(judged.reason, Catch::Contains("has ended"));
  }
  REQUIRE(verdict_on(plain_record_of(999996)).reason == "no process has pid 999996");
  REQUIRE(verdict_on(plain_record_of(999996)).state == liveness::dead);
  REQUIRE(verdict_on(ours()).state == liveness::alive);
  record earlier = ours();
  earlier.origin.start_time -= 1;
  REQUIRE(verdict_on(earlier).state == liveness::dead);
  REQUIRE_THAT(verdict_on(earlier).reason, Catch::Contains("started at another time"));
}

TEST_CASE("windows: a process that may not be opened is not taken for dead") {
  peer hidden({"hide"});
  REQUIRE(hidden.says("hidden"));
  const auto pid = static_cast<DWORD>(hidden.pid());
  REQUIRE(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid) == nullptr);
  REQUIRE(::GetLastError() == ERROR_ACCESS_DENIED);
  REQUIRE(verdict_on(plain_record_of(pid)).state == liveness::unknown);
  place at;
  test::write_text(at.where.port_file(), format_record(plain_record_of(pid)));
  REQUIRE(read_live(at.where)->pid == pid);
}

TEST_CASE("windows: a file that a reader holds open is replaced and removed all the same") {
  place at;
  std::optional<claim> owned(std::in_place, at.where, ours(1));
  peer reader({"hold", at.where.port_file().string()});
  REQUIRE(reader.says("held"));
  owned->publish(ours(2));
  REQUIRE(read_live(at.where)->port == 2);
  peer next_reader({"hold", at.where.port_file().string()});
  REQUIRE(next_reader.says("held"));
  owned->remove();
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
  const claim next(at.where, ours(3));
  REQUIRE(read_live(at.where)->port == 3);
  reader.signal(9);
  next_reader.signal(9);
  reader.wait();
  next_reader.wait();
  REQUIRE(at.files() == 2);
}

TEST_CASE("windows: who reads while a server publishes without end never misses it") {
  place at;
  peer server({"again", at.directory.path().string(), "1000"});
  REQUIRE(server.says("published"));
  int reads = 0;
  while (server.out().find("done") == std::string::npos) {
    for (int i = 0; i < 50; ++i, ++reads) REQUIRE(read_live(at.where));
    REQUIRE(server.running());
  }
  WARN(reads << " reads while it was published 1000 times");
  REQUIRE(at.files() == 2);
}

TEST_CASE("windows: what a killed publisher had put aside is swept away by the next") {
  place at;
  test::write_text(at.directory.path() / "server.json.123-4.tmp", "left");
  test::write_text(at.directory.path() / "server.json.mine.tmp", "not ours");
  const claim owned(at.where, ours());
  REQUIRE_FALSE(fs::exists(at.directory.path() / "server.json.123-4.tmp"));
  REQUIRE(fs::exists(at.directory.path() / "server.json.mine.tmp"));
}

TEST_CASE("windows: a service is found, used, refused a second time, stopped and gone") {
  test::temporary_directory directory;
  const fs::path here = directory.path();
  const auto berth = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {BERTH_COMMAND, "--app", "echo"});
    return test::run(std::move(words), here);
  };
  REQUIRE(berth({"url"}).status == 3);
  test::process server({ECHO_SERVER}, here);
  const auto waited = berth({"wait", "--timeout", "20"});
  REQUIRE(waited.status == 0);
  const location where("echo", here / ".echo");
  const auto found = read_live(where);
  REQUIRE(found);
  REQUIRE(waited.out == url_of(*found) + "\r\n");
  REQUIRE(berth({"url"}).out == waited.out);
  REQUIRE_THAT(berth({"status"}).out, Catch::Contains("alive"));
  REQUIRE(run(exchange({found->host, found->port}, "to and fro")) == "to and fro");
  const auto second = test::run({ECHO_SERVER}, here);
  REQUIRE(second.status == 4);
  REQUIRE_THAT(second.err, Catch::Contains("is already running on port"));
  REQUIRE(berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(server.wait().status == 0);
  REQUIRE_FALSE(fs::exists(where.port_file()));
  REQUIRE(berth({"url"}).status == 3);
}

TEST_CASE("windows: a service is started by who needs it, handed over, listed and stopped") {
  test::temporary_directory directory;
  const fs::path here = directory.path();
  const location where("echo", here / ".echo");
  const auto berth = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {BERTH_COMMAND, "--app", "echo"});
    return test::run(std::move(words), here, {{"BERTH_LIST_DIR", (here / "list").string()}});
  };
  const auto started = berth({"ensure", "--", ECHO_SERVER});
  REQUIRE(started.status == 0);
  const auto found = read_live(where);
  REQUIRE(started.out == url_of(*found) + "\r\n");
  REQUIRE(berth({"ensure", "--", ECHO_SERVER}).out == started.out);
  REQUIRE_THAT(berth({"list"}).out, Catch::Contains(url_of(*found)));
  const auto replaced = berth({"replace", "--", ECHO_SERVER});
  REQUIRE(replaced.status == 0);
  REQUIRE(read_live(where)->instance_id != found->instance_id);
  REQUIRE(berth({"stop", "--timeout", "20"}).status == 0);
  const auto failed = berth({"ensure", "--", WINDOWS_PEER, "exit", "3"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("exited with status 3 before it published"));
}

TEST_CASE("windows: a server that takes no request to stop is not ended by force") {
  place at;
  peer server({"publish", at.directory.path().string()});
  REQUIRE(server.says("published"));
  const auto refused = test::run(
      {BERTH_COMMAND, "--config-dir", at.directory.path().string(), "stop", "--timeout", "5"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("taskkill"));
  REQUIRE(server.running());
}

TEST_CASE("windows: pm-server answers over HTTP") {
  test::temporary_directory directory;
  test::process server({PM_SERVER}, directory.path());
  const location where("pm", directory.path() / ".pm");
  REQUIRE(test::eventually([&] { return read_live(where).has_value(); }));
  const auto at = read_live(where);
  const auto answer =
      run(exchange({at->host, at->port},
                   "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("200 OK") && Catch::Contains(R"({"status":"ok"})"));
}
