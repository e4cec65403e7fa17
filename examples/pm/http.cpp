#include "http.hpp"

#include <fmt/format.h>
#include <array>

#include <berth/coro/timeout.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/record/json_object.hpp>

namespace pm {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_silence = 60s;
// How long to wait for a request when the service begins to stop: longer on a new connection than
// on one that has been answered before.
constexpr auto first_chance = 1s;
constexpr auto last_chance = 100ms;

const char* reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    default: return "Internal Server Error";
  }
}

std::string to_text(const response& answer, bool keep_alive) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}",
      answer.status, reason_of(answer.status), answer.body.size(),
      keep_alive ? "" : "Connection: close\r\n", answer.body);
}

/// Receives the next bytes; returns 0 at the end.
berth::task<std::size_t> receive(berth::tcp_stream& client, std::span<std::byte> buffer) {
  const auto received = co_await client.read_some(buffer, berth::deadline::after(longest_silence));
  co_return received ? *received : 0;
}

/// The same between requests; gives up soon after the service begins to stop.
berth::task<std::size_t> receive_between(berth::tcp_stream& client, std::span<std::byte> buffer,
                                         std::chrono::milliseconds chance, berth::event& draining) {
  if (!draining.is_set()) {
    auto first = co_await berth::when_any(receive(client, buffer), draining.wait());
    if (first.index() == 0) co_return std::get<0>(first);
  }
  const auto received = co_await client.read_some(buffer, berth::deadline::after(chance));
  co_return received ? *received : 0;
}

}  // namespace

response refusal(int status, const std::string& message) {
  fmt::memory_buffer out;
  berth::json_object object(out);
  object.member("error", message);
  object.end();
  return {status, fmt::to_string(out)};
}

berth::task<> serve_http(berth::tcp_stream client, responder respond, berth::event& draining) {
  request_parser parser;
  std::array<std::byte, 16 * 1024> buffer;
  std::string_view bytes;
  bool first_request = true;
  for (;;) {
    auto state = parse_state::incomplete;
    if (!bytes.empty()) state = parser.feed(bytes);
    while (state == parse_state::incomplete) {
      std::size_t size = 0;
      if (parser.begun()) {
        size = co_await receive(client, buffer);
      } else {
        const auto chance = first_request ? std::chrono::milliseconds(first_chance) : last_chance;
        size = co_await receive_between(client, buffer, chance, draining);
      }
      if (size == 0) co_return;
      bytes = {reinterpret_cast<const char*>(buffer.data()), size};
      state = parser.feed(bytes);
    }
    first_request = false;
    response answer;
    bool keep_alive = false;
    if (state == parse_state::complete) {
      request asked = parser.complete();
      keep_alive = asked.keep_alive;
      answer = co_await respond(std::move(asked));
    } else if (state == parse_state::too_large) {
      answer = refusal(413, "a request may have 64 KiB at most");
    } else {
      answer = refusal(400, "this is no HTTP/1.1 request");
    }
    keep_alive = keep_alive && !draining.is_set();
    const std::string text = to_text(answer, keep_alive);
    const auto sent = co_await client.write_all(text);
    if (!sent || !keep_alive) break;
  }
  // Closing while the client still sends would reset the connection before the client has read our
  // answer: read on until it ends, for a moment.
  const auto until = berth::deadline::after(1s);
  const auto ended = co_await client.shutdown(until);
  while (ended) {
    const auto rest = co_await client.read_some(buffer, until);
    if (!rest || *rest == 0) break;
  }
}

}  // namespace pm
