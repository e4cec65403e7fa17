// Guards against stack overflow: toml++ recurses once per part of a dotted key, without limit, and
// 50,000 parts crash the process. No I/O; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace berth {

/// The first line, from 1, whose keys have more than 64 dots outside strings and comments; 0 if
/// there is none. Numbers count as well: no setting is an array of fractions.
std::size_t deeply_nested_line(std::string_view text) noexcept;

}  // namespace berth
