// Serves HTTP/1.1 with keep-alive on one connection.
#pragma once

#include <functional>
#include <string>

#include <berth/service/service.hpp>

#include "request_parser.hpp"

namespace pm {

struct response {
  int status = 200;
  std::string body;  ///< JSON
};

using responder = std::function<berth::task<response>(request)>;

/// Serves until the client ends, asks to close, or is silent for too long; while `draining` is set,
/// each response is the last one on its connection.
berth::task<> serve_http(berth::tcp_stream client, responder respond, berth::event& draining);

/// {"error": MESSAGE}
response refusal(int status, const std::string& message);

}  // namespace pm
