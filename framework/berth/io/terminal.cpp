#include <berth/io/terminal.hpp>

#include <uv.h>

namespace berth {

bool output_is_terminal() noexcept { return uv_guess_handle(1) == UV_TTY; }

}  // namespace berth
