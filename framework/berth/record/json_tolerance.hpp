// JSON allows numbers of any size and escapes of half a surrogate pair; simdjson accepts neither.
// In an unknown field they must do no harm. No I/O; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// The same document of the same length, but with `null` for each number that no 64-bit type holds,
/// and U+FFFD for each half of a pair. Text that is not JSON stays as it is.
std::string with_tolerable_values(std::string_view text);

}  // namespace berth
