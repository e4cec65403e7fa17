// A short name for a text that must not be disclosed. It does not reveal the text, unless that can
// be guessed.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// FNV-1a, 64 bits, in hexadecimal.
std::string digest(std::string_view text);

}  // namespace berth
