// Whether somebody looks at what a program prints.
#pragma once

namespace berth {

/// Whether standard output is a terminal.
bool output_is_terminal() noexcept;

}  // namespace berth
