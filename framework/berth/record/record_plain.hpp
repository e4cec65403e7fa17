// Parses a record from exactly the text that format_record writes, in a fraction of the time that
// any JSON takes. Most port files are such texts. No I/O; thread-safe.
#pragma once

#include <string_view>

#include <berth/record/record.hpp>

namespace berth {

/// Returns false if the text differs from what format_record writes, be it by a space, or holds an
/// escape or a character beyond ASCII: `into` is then incomplete, and the caller has to call
/// parse_record. Both read a text alike. `into` must be default-constructed.
bool parse_plain_record(std::string_view text, record& into);

}  // namespace berth
