// Answers the most frequent question, which scripts and prompts ask: the URL of a live server that
// wrote its file as berth does. Everything else goes to the whole command, which loads six shared
// libraries and takes three times as long to start. That is why this program is linked statically.
#include <signal.h>
#include <unistd.h>

#include <optional>

#include <berth/base/standard_descriptors.hpp>
#include <berth/cli/other_part.hpp>
#include <berth/cli/registry_hint.hpp>
#include <berth/config/directory.hpp>
#include <berth/record/record_plain.hpp>
#include <berth/store/file_text.hpp>

namespace {

using namespace berth;

/// The location that `berth [--app NAME] [--config-dir DIR] [--instance NAME] url` looks at;
/// nullopt if the arguments are any others.
std::optional<location> asked_location(int argc, char** argv) {
  std::string application(default_application()), directory, instance(default_instance);
  bool url = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::string* const value = word == "--app"          ? &application
                               : word == "--config-dir" ? &directory
                               : word == "--instance"   ? &instance
                                                        : nullptr;
    if (value && i + 1 < argc && argv[i + 1][0] != '-')
      *value = argv[++i];
    else if (word == "url" && !url)
      url = true;
    else
      return std::nullopt;
  }
  if (!url) return std::nullopt;
  return location(application, config_directory(application, directory), instance);
}

bool answer(int argc, char** argv) try {
  const auto location = asked_location(argc, argv);
  if (!location || cli::may_ask_registry(*location)) return false;
  const auto file = open_file::to_read(location->port_file_name());
  if (!file) return false;
  record server;
  if (!parse_plain_record(read_text(*file, file->status(), read_mode::may_block), server) ||
      file->query(lock_range::owner) != lock_state::held)
    return false;
  const std::string line = url_of(server) + '\n';
  return ::write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size());
} catch (...) {
  return false;
}

}  // namespace

// The full command reports output that cannot be written, so SIGPIPE must not end this one.
int main(int argc, char** argv) {
  reserve_standard_descriptors();
  const auto on_broken_pipe = ::signal(SIGPIPE, SIG_IGN);
  if (answer(argc, argv)) return 0;
  if (on_broken_pipe != SIG_ERR) ::signal(SIGPIPE, on_broken_pipe);
  cli::exec_part("berth-full", argv);
  constexpr std::string_view complaint =
      "berth: cannot find its other part, berth-full: install berth again\n";
  (void)!::write(STDERR_FILENO, complaint.data(), complaint.size());
  return 1;
}
