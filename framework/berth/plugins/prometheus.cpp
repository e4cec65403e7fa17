// Metrics for Prometheus: listens on a port of its own ("host" where it is told, else the loopback
// address), publishes it as the endpoint "metrics", and answers every GET with what there is in the
// text format 0.0.4.
#include <fmt/format.h>

#include <array>

#include <berth/coro/sleep.hpp>
#include <berth/io/tcp.hpp>
#include <berth/plugins/plugin.hpp>

namespace {

using namespace berth;
using namespace std::chrono_literals;
using seconds = std::chrono::duration<double>;

/// How late the loop is: what a timer of 100 ms takes beyond that.
struct loop_lag {
  seconds last{0}, sum{0};
  std::uint64_t count = 0;
};

task<> measure(loop_lag& lag) {
  constexpr auto period = 100ms;
  for (;;) {
    const auto begun = std::chrono::steady_clock::now();
    const auto slept = co_await sleep_for(period);
    if (!slept) co_return;
    lag.last = std::chrono::steady_clock::now() - begun - period;
    lag.sum += lag.last;
    ++lag.count;
  }
}

constexpr std::size_t longest_request = 8192;

/// The request, up to the empty line; nothing where it does not come in time, or is too long.
task<std::string> read_request(tcp_stream& client) {
  const auto until = deadline::after(5s);
  std::string request;
  std::array<std::byte, 1024> buffer;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const auto size = co_await client.read_some(buffer, until);
    if (!size || *size == 0 || request.size() > longest_request) co_return std::string();
    request.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
  co_return request;
}

class prometheus final : public plugin {
  void start() override {
    const std::string host = setting("host");
    listener_.emplace(loop(), endpoint(host.empty() ? "127.0.0.1" : host, 0));
    on("publishing", [this](plugin_event event) { return publish(*this, event); });
    background().spawn(measure(lag_));
    background().spawn(accept(*this));
  }
  task<> stop() override {
    listener_.reset();
    co_return;
  }

  static task<> publish(prometheus& self, plugin_event event) {
    const endpoint& at = self.listener_->bound();
    self.application_ = event.text("application");
    if (!event.set_endpoint("metrics", at.host, at.port, "http"))
      throw std::runtime_error("the endpoint could not be published");
    co_return;
  }

  static task<> accept(prometheus& self) {
    for (;;) {
      auto client = co_await self.listener_->accept();
      if (client)
        self.background().spawn(answer(self, std::move(*client)));
      else if (client.cancelled())
        co_return;
      else
        (void)co_await sleep_for(50ms);  // out of descriptors
    }
  }

  static task<> answer(prometheus& self, tcp_stream client) {
    const std::string request = co_await read_request(client);
    if (request.empty()) co_return;
    const bool known = request.starts_with("GET ");
    const std::string body = known ? self.metrics() : "use GET\n";
    const std::string whole = fmt::format(
        "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        known ? "200 OK" : "405 Method Not Allowed", body.size(), body);
    const auto sent = co_await client.write_all(whole, deadline::after(5s));
    if (!sent) co_return;
    const auto ended = co_await client.shutdown(deadline::after(5s));
    (void)ended;
  }

  std::string metrics() const {
    const berth_counters all = counters();
    const auto in_seconds = [](std::uint64_t nanoseconds) {
      return static_cast<double>(nanoseconds) / 1e9;
    };
    std::string out;
    const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                         auto value) {
      out += fmt::format("# HELP berth_{0} {1}\n# TYPE berth_{0} {2}\n", name, help, type);
      out += fmt::format("berth_{}{{application=\"{}\"}} {}\n", name, application_, value);
    };
    add("connections_total", "counter", "Connections that were opened.", all.connections_opened);
    add("connections", "gauge", "Connections that are open.", all.connections_open);
    add("received_bytes_total", "counter", "Bytes received on connections.", all.bytes_received);
    add("sent_bytes_total", "counter", "Bytes sent on connections.", all.bytes_sent);
    add("publishes_total", "counter", "Times the port file was published.", all.publishes);
    add("drains_total", "counter", "Times the service began to drain.", all.drains);
    add("hook_calls_total", "counter", "Calls of hooks.", all.hook_calls);
    add("hook_failures_total", "counter", "Calls of hooks that failed.", all.hook_failures);
    add("hook_seconds_total", "counter", "Time that hooks took.", in_seconds(all.hook_nanoseconds));
    add("loop_lag_seconds", "gauge", "How late the loop was when last measured.",
        lag_.last.count());
    add("loop_lag_seconds_total", "counter", "How late the loop was, all in all.",
        lag_.sum.count());
    add("loop_lag_measurements_total", "counter", "How often that was measured.", lag_.count);
    return out;
  }

  std::optional<tcp_listener> listener_;
  std::string application_;
  loop_lag lag_;
};

}  // namespace

BERTH_DEFINE_PLUGIN(prometheus, "prometheus", "1.0.0")
