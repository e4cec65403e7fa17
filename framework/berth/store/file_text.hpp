// Reads the text of an open port file in one call, into memory of the thread. Checks first that the
// file is regular, no larger than the limit, and of a trusted owner.
#pragma once

#include <string_view>

#include <berth/store/open_file.hpp>

namespace berth {

/// Valid until this thread reads the next one; has parse_padding bytes behind it.
std::string_view read_text(const open_file& file, const file_status& status,
                           read_mode how = read_mode::may_block);

}  // namespace berth
