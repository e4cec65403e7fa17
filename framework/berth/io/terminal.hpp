// Whether a program's output goes to a terminal.
#pragma once

namespace berth {

/// Whether standard output is a terminal.
bool output_is_terminal() noexcept;

}  // namespace berth
