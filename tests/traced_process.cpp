#include "traced_process.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace test {
namespace {

// Calls that nothing else makes: they mark where the work begins and ends.
constexpr long begin_mark = SYS_getsid, end_mark = SYS_getpgid;

void demand(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

user_regs_struct registers_of(pid_t pid) {
  user_regs_struct registers;
  demand(::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) == 0, "PTRACE_GETREGS");
  return registers;
}

}  // namespace

traced_process::traced_process(const std::function<void()>& prepare,
                               const std::function<int()>& work) {
  pid_ = ::fork();
  demand(pid_ >= 0, "fork");
  if (pid_ == 0) {
    prepare();
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::syscall(begin_mark, 0);
    const int result = work();
    ::syscall(end_mark, result);
    for (;;) ::pause();
  }
  int status = 0;
  demand(::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status), "the child did not stop");
  ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  do demand(stop_at_call() && finish_call(0), "the child ended early");
  while (call_ != begin_mark);
}

traced_process::~traced_process() { kill(); }

bool traced_process::stop_at_call() {
  for (;;) {
    int status = 0;
    demand(::ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr) == 0, "PTRACE_SYSCALL");
    demand(::waitpid(pid_, &status, 0) == pid_, "waitpid");
    demand(WIFSTOPPED(status), "the child ended");
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) break;
  }
  return true;
}

bool traced_process::finish_call(int error_number) {
  auto registers = registers_of(pid_);
  call_ = static_cast<long>(registers.orig_rax);
  if (call_ == end_mark) {
    result_ = static_cast<int>(registers.rdi);
    return false;
  }
  if (error_number != 0) {
    registers.orig_rax = static_cast<unsigned long long>(-1);
    ::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
  }
  stop_at_call();
  if (error_number != 0) {
    registers = registers_of(pid_);
    registers.rax = static_cast<unsigned long long>(-error_number);
    ::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
  }
  return true;
}

bool traced_process::next_call() { return stop_at_call() && finish_call(0); }

bool traced_process::next_call_fails(int error_number) {
  return stop_at_call() && finish_call(error_number);
}

void traced_process::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace test
