// Base64 (RFC 4648, 4), which JSON uses for bytes. No I/O; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth {

std::string to_base64(std::string_view bytes);
/// Returns nullopt if the text is not base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace berth
