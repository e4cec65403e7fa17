// What commands say of one server.
#pragma once

#include <string>

#include <berth/cli/options.hpp>
#include <berth/discovery/liveness.hpp>

namespace berth::cli {

void print_status(const options& given, const std::string& path, const verdict& judged,
                  const record& server);

/// Of the endpoint that was asked for, with the token where that was. Throws invalid_value.
std::string url_for(const options& given, const record& server);

}  // namespace berth::cli
