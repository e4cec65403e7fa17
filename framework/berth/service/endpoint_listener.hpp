// What a service listens on beside its main port: a named endpoint. Private to service/.
#pragma once

#include <optional>
#include <string>

#include <berth/service/connections.hpp>
#include <berth/service/service.hpp>

namespace berth {

struct service::endpoint_listener {
  std::string name;
  std::string scheme;
  connection_handler handler;
  // While the service serves:
  std::optional<connection_rules> rules;
  std::optional<tcp_listener> listener;
  std::optional<connections> open;
};

}  // namespace berth
