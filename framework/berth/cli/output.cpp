#include <berth/cli/output.hpp>

#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <berth/base/error.hpp>
#include <berth/base/printable.hpp>
#include <berth/io/terminal.hpp>
#include <berth/record/json_object.hpp>

namespace berth::cli {
namespace {

/// Whether standard output has been written to, successfully or not.
bool has_printed = false;
std::string& last_complaint() {
  static std::string text;
  return text;
}

void write(std::string_view text) {
  has_printed = true;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    throw error(last_system_error(), "write", "standard output");
}

void complain_unescaped(std::string_view message) {
  last_complaint() = message;
  const std::string line = fmt::format("berth: {}\n", message);
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string document_of(std::string_view name, std::string_view value) {
  fmt::memory_buffer out;
  json_object object(out);
  object.member(name, value);
  object.end();
  return fmt::to_string(out);
}

}  // namespace

void print(std::string_view line) { write(printable(line) + '\n'); }

void print_lines(const std::vector<std::string>& lines, std::string_view control) {
  std::string text(control);
  for (const auto& each : lines) text += printable(each) + '\n';
  write(text);
}

void print_json(std::string_view document) { write(std::string(document) + '\n'); }

void print_json_array(const std::vector<std::string>& documents) {
  print_json(documents.empty() ? "[]" : fmt::format("[\n{}\n]", fmt::join(documents, ",\n")));
}

void answer(const options& options, std::string_view name, std::string_view value) {
  if (options.json)
    print_json(document_of(name, value));
  else
    print(value);
}

void answer_path(const options& options, std::string_view path) {
  if (options.json || output_is_terminal())
    answer(options, "path", path);
  else
    write(std::string(path) + '\n');
}

void complain(std::string_view message) { complain_unescaped(printable(message)); }

void complain(const std::exception& thrown) {
  if (dynamic_cast<const error*>(&thrown))
    complain_unescaped(thrown.what());
  else
    complain(thrown.what());
}

int complain_of_none(const options& options, std::string_view checked) {
  complain(fmt::format("No running {}-server found (checked {}).", options.application, checked));
  return no_live_server;
}

void print_error_document() {
  if (!has_printed) print_json(document_of("error", last_complaint()));
}

}  // namespace berth::cli
