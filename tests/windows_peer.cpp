// What the Windows tests run as other processes:
//   windows-peer publish DIRECTORY         publishes if it can, says so, and stays; else exits with
//   4 windows-peer again DIRECTORY COUNT     publishes so often, one over the other, and says so
//   windows-peer hold FILE                 keeps the file open for reading, and says so
//   windows-peer hide                      lets nobody open its process, and says so
//   windows-peer exit STATUS
#include <windows.h>

#include <aclapi.h>

#include <berth/discovery/claim.hpp>
#include <berth/liveness/this_process.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace berth;

record ours() { return describe_this_process("127.0.0.1", 8080, "1"); }

[[noreturn]] void say_and_stay(const char* word) {
  std::puts(word);
  std::fflush(stdout);
  for (;;) ::Sleep(INFINITE);
}

int publish(const std::string& directory) {
  try {
    const claim owned(location("pm", directory), ours());
    say_and_stay("published");
  } catch (const already_running& other) {
    std::puts(other.what());
    return 4;
  }
}

void publish_again(const std::string& directory, int count) {
  claim owned(location("pm", directory), ours());
  std::puts("published");
  std::fflush(stdout);
  for (int i = 0; i < count; ++i) owned.publish(ours());
  say_and_stay("done");
}

void hold(const std::string& path) {
  const HANDLE file = ::CreateFileA(path.c_str(), GENERIC_READ,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, 0, nullptr);
  if (file == INVALID_HANDLE_VALUE) std::exit(1);
  say_and_stay("held");
}

void hide() {
  ACL none;
  ::InitializeAcl(&none, sizeof none, ACL_REVISION);
  const DWORD failed =
      ::SetSecurityInfo(::GetCurrentProcess(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                        nullptr, &none, nullptr);
  if (failed) std::exit(1);
  say_and_stay("hidden");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "publish") return publish(argv[2]);
  if (role == "again") publish_again(argv[2], std::atoi(argv[3]));
  if (role == "hold") hold(argv[2]);
  if (role == "hide") hide();
  if (role == "exit") return std::atoi(argv[2]);
  return 2;
}
