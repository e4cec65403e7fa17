#include "harness.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

namespace bench {
namespace {

std::string type_of(const fs::path& directory) {
  struct statfs status;
  if (::statfs(directory.c_str(), &status) != 0) return "unknown";
  switch (status.f_type) {
    case 0x01021994: return "tmpfs";
    case 0xEF53: return "ext4";
    case 0x58465342: return "xfs";
    case 0x9123683E: return "btrfs";
    case 0x794c7630: return "overlayfs";
    default: return fmt::format("type {:#x}", static_cast<unsigned long>(status.f_type));
  }
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

void describe_machine() {
  utsname system;
  ::uname(&system);
  benchmark::AddCustomContext("kernel", fmt::format("{} {}", system.sysname, system.release));
  benchmark::AddCustomContext("processor", processor_name());
  benchmark::AddCustomContext("compiler",
#ifdef __clang__
                              "clang " __clang_version__
#else
                              "g++ " __VERSION__
#endif
  );
  for (const auto& each : file_systems())
    benchmark::AddCustomContext(each.name + " file system", type_of(each.below));
}

/// Reports only what cannot be measured: bench/report prints the results.
class quiet_reporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& each : runs)
      if (each.error_occurred && each.repetition_index == 0)
        fmt::print("skipped: {}: {}\n", each.benchmark_name(), each.error_message);
    std::fflush(stdout);
  }
};

}  // namespace

scratch_directory::scratch_directory(const fs::path& below) {
  std::string name = (below / "berth-bench-XXXXXX").string();
  must(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

const std::vector<file_system>& file_systems() {
  static const std::vector<file_system> both = [] {
    std::vector<file_system> found;
    if (type_of("/dev/shm") == "tmpfs") found.push_back({"memory", "/dev/shm"});
    const char* const disk = std::getenv("BENCH_DISK");
    found.push_back({"disk", fs::absolute(disk ? disk : ".")});
    return found;
  }();
  return both;
}

double samples::quantile(double part) {
  must(!microseconds_.empty());
  const auto last = static_cast<double>(microseconds_.size() - 1);
  const auto at = microseconds_.begin() + static_cast<std::ptrdiff_t>(part * last + 0.5);
  std::nth_element(microseconds_.begin(), at, microseconds_.end());
  return *at;
}

void samples::report(benchmark::State& state) {
  if (microseconds_.empty()) return;
  for (const auto& [name, part] : std::initializer_list<std::pair<const char*, double>>{
           {"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}, {"max_us", 1}})
    state.counters[name] = quantile(part);
  state.counters["over_50_us"] = static_cast<double>(
      std::count_if(microseconds_.begin(), microseconds_.end(), [](double us) { return us > 50; }));
  state.counters["calls"] = static_cast<double>(microseconds_.size());
}

void add_skipped(const std::string& name, const std::string& reason) {
  benchmark::RegisterBenchmark(name.c_str(), [reason](benchmark::State& state) {
    state.SkipWithError(reason.c_str());
  })->Iterations(1);
}

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  for (int each = 0; each < processors; ++each)
    if (processor < 0 || each == processor) CPU_SET(each, &set);
  if (processors > 1) ::sched_setaffinity(0, sizeof set, &set);
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  describe_machine();
  quiet_reporter quiet;
  benchmark::RunSpecifiedBenchmarks(&quiet);
  benchmark::Shutdown();
  return 0;
}

}  // namespace bench
