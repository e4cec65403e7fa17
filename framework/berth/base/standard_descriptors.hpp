// A program may be started without standard input, output or error. The first files that it opens
// would then get their numbers, and whatever it prints would be written into them.
#pragma once

namespace berth {

/// Opens the closed ones; call it at the beginning of main. Writing to standard input or output
/// then fails as on a closed descriptor; output to standard error is discarded. Writing more than
/// the file-size limit allows fails, too, instead of ending the program by SIGXFSZ.
void reserve_standard_descriptors() noexcept;

}  // namespace berth
