// Secrets that are compared: random ones, and a comparison that takes the same time whatever is
// wrong with what it is given. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// 256 bits from the system's generator, in hexadecimal.
std::string random_token();

/// Takes a time that depends on the length of `given` alone.
bool same_secret(std::string_view secret, std::string_view given) noexcept;

}  // namespace berth
