// What commands print: the answer alone on standard output, as text or as one JSON object;
// everything else on standard error.
#pragma once

#include <string_view>

#include <berth/cli/options.hpp>

namespace berth::cli {

/// One line, or {"NAME": "VALUE"}.
void answer(const options& given, std::string_view name, std::string_view value);
void print(std::string_view text);
void complain(std::string_view message);
/// "No running pm-server found (checked PATH)."; gives the status for it.
int complain_of_none(const location& where);

}  // namespace berth::cli
