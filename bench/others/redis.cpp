#include <hiredis/hiredis.h>

#include <fmt/format.h>

#include "others.hpp"

namespace bench {
namespace {

struct reply {
  explicit reply(void* got) : value(static_cast<redisReply*>(got)) { must(value != nullptr); }
  reply(const reply&) = delete;
  reply& operator=(const reply&) = delete;
  ~reply() { ::freeReplyObject(value); }
  redisReply* value;
};

}  // namespace

void add_redis(kept& servers, const fs::path& scratch, const std::string& text) {
  const std::string server = program("redis-server");
  if (server.empty())
    return add_skipped("others/Redis", "redis-server is not installed (apt-get install it)");
  const std::string socket = (scratch / "redis.sock").string();
  const auto port = free_port();
  servers.push_back(std::make_shared<server_process>(
      std::vector<std::string>{server, "--bind", "127.0.0.1", "--port", std::to_string(port),
                               "--unixsocket", socket, "--save", "", "--dir", scratch.string()}));
  std::shared_ptr<redisContext> local, remote;
  const bool ready = comes_true([&] {
    local.reset(::redisConnectUnix(socket.c_str()), ::redisFree);
    remote.reset(::redisConnect("127.0.0.1", port), ::redisFree);
    return local->err == 0 && remote->err == 0;
  });
  if (!ready) return add_skipped("others/Redis", "redis-server did not start");
  reply(::redisCommand(local.get(), "SET server %b", text.data(), text.size()));
  const auto get = [size = text.size()](const std::shared_ptr<redisContext>& through) {
    return [through, size] {
      const reply found(::redisCommand(through.get(), "GET server"));
      must(found.value->len == size);
    };
  };
  add("others/Redis GET, Unix socket", 2000, get(local));
  add("others/Redis GET, TCP", 2000, get(remote));
}

}  // namespace bench
