// The text of an open port file, read in one call into memory of the thread and checked before it
// is: a regular file, no larger than the limit, of an owner that is trusted.
#pragma once

#include <string_view>

#include <berth/store/open_file.hpp>

namespace berth {

/// Valid until this thread reads the next one; has parse_padding bytes behind it.
std::string_view read_text(const open_file& file, const file_status& status,
                           read_mode how = read_mode::may_block);

}  // namespace berth
