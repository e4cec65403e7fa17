// The berth command. The only place where a failure becomes a message, a document and an exit
// status.
#include <algorithm>
#include <string_view>

#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/base/standard_descriptors.hpp>
#include <berth/cli/command_line.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/io/broken_pipe.hpp>

namespace berth::cli {
namespace {

/// Whether --json is among the arguments; needed if the command line is invalid.
bool mention_json(int argc, char** argv) {
  const auto end = std::find(argv, argv + argc, std::string_view("--"));
  return std::find(argv, end, std::string_view("--json")) != end;
}

/// Returns the exit status of `call`; reports every exception.
template <typename Call>
int guarded(Call call) {
  try {
    return call();
  } catch (const already_running& other) {
    complain(other);
    return another_is_live;
  } catch (const std::exception& thrown) {
    complain(thrown);
  } catch (...) {
    complain(exception_message());
  }
  return failed;
}

int run_program(int argc, char** argv) {
  const bool json = mention_json(argc, argv);
  const int status = guarded([&] {
    const auto line = parse_command_line(argc, argv);
    return line.exit_status ? *line.exit_status : line.chosen(line.options);
  });
  if (!json || status == done) return status;
  return guarded([&] {
    print_error_document();
    return status;
  });
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  berth::reserve_standard_descriptors();
  berth::ignore_broken_pipes();
  berth::log::set_name("berth");
  return berth::cli::run_program(argc, argv);
}
