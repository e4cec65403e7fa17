// Whether a server lives, judged by its process, its port or a custom strategy.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/process.hpp>
#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>

#include <fmt/format.h>

#include "conformance/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace conformance_test;
namespace fs = std::filesystem;

TEST_CASE("a server that was killed is dead at once, though its parent has not collected it") {
  place at;
  const pid_t child = ::fork();
  if (child == 0) {
    claim owned(at.where, ours());
    ::raise(SIGKILL);
  }
  siginfo_t ended;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  const auto found = examine(at.where);
  REQUIRE(found->stale());
  write_foreign(at, static_cast<std::uint32_t>(child));
  REQUIRE(examine(at.where)->judged.reason == fmt::format("pid {} is a zombie", child));
  claim next(at.where, ours(9));
  REQUIRE(read_live(at.where)->port == 9);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("a pid that the platform cannot have never reaches kill") {
  REQUIRE(status_of_process(0).state == process_state::absent);
  REQUIRE(status_of_process(4294967295u).state == process_state::absent);
  REQUIRE(status_of_process(2147483648u).state == process_state::absent);
}

TEST_CASE("a file with an impossible pid is stale or invalid, never live") {
  place at;
  write_foreign(at, 4294967295u);
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
  write_foreign(at, 0);
  REQUIRE_THROWS_WITH(read_live(at.where), Catch::Contains("field \"pid\" must be 1-4294967295"));
}

TEST_CASE("a process is judged by what identifies it") {
  record server = ours();
  server.lock.clear();
  const process_liveness strategy;
  const auto judge = [&](const record& one) {
    return strategy.judge({one, lock_state::free}).state;
  };
  REQUIRE(judge(server) == liveness::alive);
  auto other = server;
  other.origin.start_time += 1;
  REQUIRE(judge(other) == liveness::dead);
  other = server;
  other.origin.boot_id = "another";
  REQUIRE(judge(other) == liveness::dead);
  other = server;
  other.origin.pid_namespace = 1;
  REQUIRE(judge(other) == liveness::unknown);
  other = server;
  other.origin.host_id = "another";
  other.origin.boot_id = "another";
  REQUIRE(judge(other) == liveness::unknown);
  other.pid = no_process;
  REQUIRE(judge(other) == liveness::unknown);
}

namespace {

/// A port of the loopback address that listens, or is merely taken, until this ends.
class taken_port {
 public:
  explicit taken_port(bool listens) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), any, size) == 0);
    REQUIRE((!listens || ::listen(socket_.get(), 1) == 0));
    REQUIRE(::getsockname(socket_.get(), any, &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  std::uint16_t number() const { return number_; }

 private:
  unique_handle socket_;
  std::uint16_t number_ = 0;
};

}  // namespace

TEST_CASE("the port itself tells whether its server lives, of this machine's servers") {
  const taken_port open(true), closed(false);
  const connect_liveness strategy;
  const auto judge = [&](record server) { return strategy.judge({server, lock_state::free}); };
  record server = ours();
  server.port = open.number();
  REQUIRE(judge(server).state == liveness::alive);
  server.host = "0.0.0.0";
  REQUIRE(judge(server).state == liveness::alive);
  server.port = closed.number();
  REQUIRE(judge(server).state == liveness::dead);
  REQUIRE(judge(server).reason == "nothing listens on port " + std::to_string(closed.number()));
  server.origin.host_id = "another";
  REQUIRE(judge(server).state == liveness::unknown);
  server.origin.host_id.clear();
  server.host = "host.invalid";
  REQUIRE(judge(server).state == liveness::unknown);
}

namespace {

struct stubborn final : liveness_strategy {
  verdict judge(const evidence&) const override { return {liveness::dead, "because I say so"}; }
};

}  // namespace

TEST_CASE("a user's strategy plugs in, and a chain asks until one is sure") {
  place at;
  write_foreign(at, 1);
  const stubborn mine;
  REQUIRE(examine(at.where, mine)->judged.reason == "because I say so");
  const liveness_chain chain({std::make_shared<lock_liveness>(), std::make_shared<stubborn>(),
                              std::make_shared<always_alive>()});
  REQUIRE(examine(at.where, chain)->stale());
  REQUIRE_FALSE(examine(at.where, always_alive())->stale());
}

TEST_CASE("a file that is locked in a way that cannot be seen from here is judged by its process") {
  place at;
  record server = ours();
  server.lock = "another";
  test::write_text(at.file, format_record(server));
  REQUIRE(examine(at.where)->judged.state == liveness::alive);
  server.pid = 999999;
  test::write_text(at.file, format_record(server));
  REQUIRE(examine(at.where)->stale());
}
