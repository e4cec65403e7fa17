// One HTTP request, by libcurl.
#pragma once

#include <string>

namespace pm {

/// The body. Throws std::runtime_error where there is no answer, or none of success.
std::string http_get(const std::string& url);

}  // namespace pm
