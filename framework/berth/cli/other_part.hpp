// The command is more than one program, so that what is asked most does not load what it does not
// need. The parts are beside each other, or in libexec.
#pragma once

namespace berth::cli {

/// This process becomes that part, with these words. Returns where there is none.
void become(const char* part, char* const* words) noexcept;

}  // namespace berth::cli
