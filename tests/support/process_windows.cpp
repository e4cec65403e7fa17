#include "process.hpp"

#include <windows.h>

#include <csignal>

#include "catch.hpp"

namespace test {
namespace {

HANDLE to_handle(std::intptr_t number) { return reinterpret_cast<HANDLE>(number); }

HANDLE open_output(const std::filesystem::path& path) {
  SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
  return ::CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                       CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
}

std::string environment_block(const std::map<std::string, std::string>& set) {
  std::string block;
  char* const all = ::GetEnvironmentStringsA();
  for (const char* each = all; *each; each += std::string(each).size() + 1) {
    const std::string variable = each;
    if (!set.contains(variable.substr(0, variable.find('=')))) block += variable + '\0';
  }
  ::FreeEnvironmentStringsA(all);
  for (const auto& [name, value] : set) block += name + "=" + value + '\0';
  return block + '\0';
}

}  // namespace

process::process(std::vector<std::string> command, const std::filesystem::path& directory,
                 const std::map<std::string, std::string>& environment) {
  std::string line;
  for (const auto& each : command) line += (line.empty() ? "\"" : " \"") + each + "\"";
  const HANDLE out = open_output(files_.path() / "out"), err = open_output(files_.path() / "err");
  STARTUPINFOA start{};
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
  start.hStdOutput = out;
  start.hStdError = err;
  PROCESS_INFORMATION made{};
  std::string block = environment_block(environment);
  const std::string where = directory.string();
  const BOOL started =
      ::CreateProcessA(nullptr, line.data(), nullptr, nullptr, TRUE, 0, block.data(),
                       where.empty() ? nullptr : where.c_str(), &start, &made);
  ::CloseHandle(out);
  ::CloseHandle(err);
  INFO("starting " << line);
  REQUIRE(started);
  ::CloseHandle(made.hThread);
  handle_ = reinterpret_cast<std::intptr_t>(made.hProcess);
  pid_ = static_cast<pid_t>(made.dwProcessId);
}

process::~process() {
  if (running()) signal(SIGTERM);
  (void)::WaitForSingleObject(to_handle(handle_), INFINITE);
  ::CloseHandle(to_handle(handle_));
}

// There is only one way to end another process.
void process::signal(int) const { ::TerminateProcess(to_handle(handle_), 137); }

bool process::running() {
  if (status_) return false;
  if (::WaitForSingleObject(to_handle(handle_), 0) != WAIT_OBJECT_0) return true;
  DWORD status = 0;
  ::GetExitCodeProcess(to_handle(handle_), &status);
  status_ = static_cast<int>(status);
  return false;
}

ended process::wait() {
  const bool over = eventually([this] { return !running(); }, std::chrono::seconds(30));
  INFO("output: " << out() << err());
  REQUIRE(over);
  return {*status_, out(), err()};
}

ended run(std::vector<std::string> command, const std::filesystem::path& directory,
          const std::map<std::string, std::string>& environment) {
  return process(std::move(command), directory, environment).wait();
}

}  // namespace test
