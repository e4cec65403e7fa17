// A short name for a text that is not to be told itself. Says nothing to who does not have the
// text; no protection where the text can be guessed.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// FNV-1a, 64 bits, in hexadecimal.
std::string digest(std::string_view text);

}  // namespace berth
