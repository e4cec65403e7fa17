// Reads a record out of the very text that format_record writes, in a fraction of the time that
// any JSON takes. Most port files are that text. No I/O; any thread.
#pragma once

#include <optional>
#include <string_view>

#include <berth/discovery/record.hpp>

namespace berth {

/// Nothing where the text differs from what format_record writes, be it by a space, or has an
/// escape or a character beyond ASCII in it: ask parse_record then. What both read is the same.
std::optional<record> parse_plain_record(std::string_view text);

}  // namespace berth
