// Prints for commands: only the answer goes to standard output, as text or as one JSON document;
// everything else goes to standard error. Text is escaped here, so commands pass it on unchanged
// from files, registries, the environment and arguments. Throws berth::error if standard output
// cannot be written.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <berth/cli/options.hpp>

namespace berth::cli {

/// Prints one line, or {"NAME": "VALUE"}.
void answer(const options& options, std::string_view name, std::string_view value);
/// Prints the path of a file, for scripts to open: unescaped, unless standard output is a terminal.
void answer_path(const options& options, std::string_view path);
/// Prints one line; newlines in it are escaped.
void print(std::string_view line);
/// Prints several lines at once, after `control`, an unescaped control sequence for the terminal.
void print_lines(const std::vector<std::string>& lines, std::string_view control = {});
/// Prints a document that json_object wrote.
void print_json(std::string_view document);
void print_json_array(const std::vector<std::string>& documents);

/// Prints "berth: MESSAGE" on one line of standard error. Failures to write are ignored.
void complain(std::string_view message);
/// Prints the exception's message. The lines of a berth::error are kept; they are escaped already.
void complain(const std::exception& thrown);
/// Complains "No running pm-server found (checked NAME)." and returns its exit status.
int complain_of_none(const options& options, std::string_view checked);
/// Prints {"error": "…"} with the last complaint; does nothing if standard output was written to.
void print_error_document();

}  // namespace berth::cli
