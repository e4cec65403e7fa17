// Random secrets, and a comparison whose running time does not tell where the texts differ.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// 256 bits from the system's generator, in hexadecimal.
std::string random_token();

/// Its running time depends only on the length of `given`.
bool same_secret(std::string_view secret, std::string_view given) noexcept;

}  // namespace berth
