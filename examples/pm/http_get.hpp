// One HTTP request, by libcurl.
#pragma once

#include <string>

namespace pm {

/// Returns the body. Sends `token` as a bearer token, unless it is empty. Throws std::runtime_error
/// if there is no answer, or if its status is not a success.
std::string http_get(const std::string& url, const std::string& token = {});

}  // namespace pm
