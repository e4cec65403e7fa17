#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "catch.hpp"

extern char** environ;

namespace test {

process::process(std::vector<std::string> command, const std::filesystem::path& directory,
                 const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  for (char** each = environ; *each; ++each) {
    const std::string variable = *each;
    if (!environment.contains(variable.substr(0, variable.find('='))))
      variables.push_back(variable);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> arguments, settings;
  for (auto& each : command) arguments.push_back(each.data());
  for (auto& each : variables) settings.push_back(each.data());
  arguments.push_back(nullptr);
  settings.push_back(nullptr);

  const std::string out = files_.path() / "out", err = files_.path() / "err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  if (!directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  const int status =
      posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), settings.data());
  posix_spawn_file_actions_destroy(&actions);
  INFO("starting " << arguments[0]);
  REQUIRE(status == 0);
}

process::~process() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void process::signal(int number) const { ::kill(pid_, number); }

bool process::running() {
  if (status_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

ended process::wait() {
  const bool over = eventually([this] { return !running(); }, std::chrono::seconds(30));
  INFO("output: " << out() << err());
  REQUIRE(over);
  return {*status_, out(), err()};
}

std::chrono::milliseconds process::processor_time() const {
  const std::string stat = read_text("/proc/" + std::to_string(pid_) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string skipped;
  long user = 0, system = 0;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

ended run(std::vector<std::string> command, const std::filesystem::path& directory,
          const std::map<std::string, std::string>& environment) {
  return process(std::move(command), directory, environment).wait();
}

}  // namespace test
