// Base64 (RFC 4648, 4), as JSON carries bytes. No I/O; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth {

std::string to_base64(std::string_view bytes);
/// Nothing where the text is no base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace berth
