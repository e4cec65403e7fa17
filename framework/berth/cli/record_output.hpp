// Prints one server.
#pragma once

#include <string>

#include <berth/cli/options.hpp>
#include <berth/liveness/liveness.hpp>

namespace berth::cli {

void print_status(const options& options, const std::string& path, const verdict& judged,
                  const record& server);

/// The URL of the endpoint that the options name, with the token if they ask for it. Throws
/// invalid_value if there is no such endpoint.
std::string url_for(const options& options, const record& server);

}  // namespace berth::cli
