// The berth command where it is asked most, by scripts and prompts: the URL of a server that lives
// and wrote its file as berth does. Everything else is handed to the whole command, which loads six
// shared libraries for what it can do and takes three times as long to start. That is why this is
// linked without them.
#include <unistd.h>

#include <optional>

#include <berth/cli/other_part.hpp>
#include <berth/cli/registry_hint.hpp>
#include <berth/config/directory.hpp>
#include <berth/discovery/file_text.hpp>
#include <berth/discovery/record_plain.hpp>

namespace {

using namespace berth;

/// Where `berth [--app NAME] [--config-dir DIR] [--instance NAME] url` looks; nothing where the
/// words are not these.
std::optional<location> asked_for(int argc, char** argv) {
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

bool answered(int argc, char** argv) try {
  const auto where = asked_for(argc, argv);
  if (!where || cli::may_ask_registry(*where)) return false;
  const auto file = open_file::to_read(where->port_file_name());
  if (!file) return false;
  record server;
  if (!parse_plain_record(read_text(*file, file->status(), read_mode::may_block), server) ||
      file->query(lock_range::owner) != lock_state::held)
    return false;
  const std::string answer = url_of(server) + '\n';
  return ::write(STDOUT_FILENO, answer.data(), answer.size()) ==
         static_cast<ssize_t>(answer.size());
} catch (const std::exception&) {
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (answered(argc, argv)) return 0;
  cli::become("berth-full", argv);
  constexpr std::string_view complaint =
      "berth: cannot find its other part, berth-full: install berth again\n";
  (void)!::write(STDERR_FILENO, complaint.data(), complaint.size());
  return 1;
}
