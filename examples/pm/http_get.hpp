// One HTTP request, by libcurl.
#pragma once

#include <string>

namespace pm {

/// The body. `token` is sent as a bearer's, where there is one. Throws std::runtime_error where
/// there is no answer, or none of success.
std::string http_get(const std::string& url, const std::string& token = {});

}  // namespace pm
