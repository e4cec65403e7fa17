// Reads a record out of the very text that format_record writes, in a fraction of the time that
// any JSON takes. Most port files are that text. No I/O; any thread.
#pragma once

#include <string_view>

#include <berth/record/record.hpp>

namespace berth {

/// False where the text differs from what format_record writes, be it by a space, or has an escape
/// or a character beyond ASCII in it: `into` then holds whatever was read before that, and
/// parse_record is to be asked. What both read is the same. `into` is as new.
bool parse_plain_record(std::string_view text, record& into);

}  // namespace berth
