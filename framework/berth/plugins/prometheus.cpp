// Metrics for Prometheus: listens on a port of its own (the setting "host", by default the loopback
// address), publishes it as the endpoint "metrics", and answers every GET with all metrics in the
// text format 0.0.4. Requires the service's token, if there is one. The Host header must hold an
// address or the configured name, unless a token is required and the address is not loopback: a
// website that points its own name here cannot know the token, and scrapers use DNS names.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <berth/base/secret.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/tcp.hpp>
#include <berth/plugin/plugin.hpp>
#include <berth/record/record_codec.hpp>

namespace {

using namespace berth;
using namespace std::chrono_literals;
using seconds = std::chrono::duration<double>;

/// How late the loop is: how much longer than 100 ms a timer of 100 ms takes.
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

/// Reads the request up to the empty line; returns an empty text if it does not come in time or is
/// too long.
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

/// The value of that header, without the space around it; empty if the request has none.
std::string_view header_of(std::string_view request, std::string_view name) {
  for (auto begin = request.find("\r\n"); begin != request.npos;) {
    begin += 2;
    const auto end = std::min(request.find("\r\n", begin), request.size());
    const auto line = request.substr(begin, end - begin);
    const auto same = [](char one, char other) { return (one | 0x20) == (other | 0x20); };
    if (line.size() > name.size() && line[name.size()] == ':' &&
        std::equal(name.begin(), name.end(), line.begin(), same)) {
      const auto value = line.substr(name.size() + 1);
      const auto first = std::min(value.find_first_not_of(" \t"), value.size());
      return value.substr(first, value.find_last_not_of(" \t") + 1 - first);
    }
    begin = request.find("\r\n", begin);
  }
  return {};
}

/// Whether the request came by an address or "localhost", not by a name that a website may have
/// pointed here.
bool is_called_by_address(std::string_view name) {
  return name.starts_with('[') || name == "localhost" ||
         name.find_first_not_of("0123456789.") == name.npos;
}

/// The host of the Host header, without the port.
std::string_view host_of(std::string_view request) {
  const auto host = header_of(request, "Host");
  return host.substr(0, host.starts_with('[') ? host.npos : host.find(':'));
}

bool is_loopback(std::string_view address) {
  return address == "::1" || address == "localhost" || address.starts_with("127.");
}

/// Whether the request presents the service's token, if that requires one: "Authorization: Bearer"
/// or "?token=" in the path.
bool brings(std::string_view token, std::string_view request) {
  if (token.empty()) return true;
  constexpr std::string_view scheme = "Bearer ", parameter = "?token=";
  const auto authorization = header_of(request, "Authorization");
  if (authorization.starts_with(scheme))
    return same_secret(token, authorization.substr(scheme.size()));
  const auto path = request.substr(0, request.find("\r\n"));
  const auto begin = path.find(parameter);
  if (begin == path.npos) return false;
  const auto brought = path.substr(begin + parameter.size());
  return same_secret(token, brought.substr(0, brought.find_first_of(" &")));
}

struct http_answer {
  std::string_view status;
  std::string body;
};

class prometheus final : public plugin {
  void start() override {
    host_ = setting("host");
    listener_.emplace(loop(), endpoint(host_.empty() ? "127.0.0.1" : host_, 0));
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
    self.token_ = token_of(event.text("record"));
    if (!event.set_endpoint("metrics", at.host, at.port, "http"))
      throw std::runtime_error("the endpoint could not be published");
    co_return;
  }

  static std::string token_of(std::string record) {
    const std::size_t size = record.size();
    record.append(parse_padding, '\0');
    return parse_record({record.data(), size}).token;
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
    const auto [status, body] = self.answer_to(request);
    const std::string whole = fmt::format(
        "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        status, body.size(), body);
    const auto sent = co_await client.write_all(whole, deadline::after(5s));
    if (!sent) co_return;
    const auto ended = co_await client.shutdown(deadline::after(5s));
    (void)ended;
  }

  bool may_be_called(std::string_view name) const {
    if (is_called_by_address(name) || name == host_) return true;
    return !token_.empty() && !is_loopback(listener_->bound().host);
  }

  http_answer answer_to(std::string_view request) const {
    if (!may_be_called(host_of(request)))
      return {"403 Forbidden", "use an address, or require a token\n"};
    if (!brings(token_, request))
      return {"401 Unauthorized", "send the token: berth url --endpoint metrics --with-token\n"};
    if (!request.starts_with("GET ")) return {"405 Method Not Allowed", "use GET\n"};
    return {"200 OK", metrics()};
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
    add("loop_lag_seconds_total", "counter", "How late the loop was, summed over all measurements.",
        lag_.sum.count());
    add("loop_lag_measurements_total", "counter",
        "How often the lateness of the loop was measured.", lag_.count);
    return out;
  }

  std::optional<tcp_listener> listener_;
  std::string host_, application_, token_;
  loop_lag lag_;
};

}  // namespace

BERTH_DEFINE_PLUGIN(prometheus, "prometheus", "1.0.0")
