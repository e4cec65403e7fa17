// What the measurements share, on top of Google Benchmark: every call is timed for itself, and a
// repetition reports the median and the 99th percentile in microseconds. Repetitions of all
// benchmarks are interleaved, so that a machine that slows down slows all of them. bench/report
// reads what comes out.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <concepts>
#include <filesystem>
#include <string>
#include <vector>

#include "bare.hpp"

namespace bench {

namespace fs = std::filesystem;

inline std::int64_t nanoseconds_now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// A directory of its own, gone when it ends.
class scratch_directory {
 public:
  explicit scratch_directory(const fs::path& below);
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Where there is a memory file system, and a disk.
struct file_system {
  std::string name;
  fs::path below;
};
const std::vector<file_system>& file_systems();

/// The times of one repetition.
class samples {
 public:
  template <std::invocable Call>
  void time(Call&& call) {
    const auto begun = nanoseconds_now();
    call();
    add_since(begun);
  }
  void add_since(std::int64_t begun) { add(static_cast<double>(nanoseconds_now() - begun) / 1000); }
  void add(double microseconds) { microseconds_.push_back(microseconds); }
  /// Of the times, 0 to 1.
  double quantile(double part);
  void report(benchmark::State& state);

 private:
  std::vector<double> microseconds_;
};

/// Measures `calls` calls a repetition.
template <std::invocable Call>
benchmark::internal::Benchmark* add(const std::string& name, int calls, Call call) {
  const auto body = [call](benchmark::State& state) mutable {
    samples taken;
    call();  // what is made at the first call is not measured
    for (auto _ : state) taken.time(call);
    taken.report(state);
  };
  return benchmark::RegisterBenchmark(name.c_str(), body)->Iterations(calls);
}

/// Measures what takes care of its own times, `calls` of them a repetition.
template <std::invocable<samples&> Call>
benchmark::internal::Benchmark* add_timed(const std::string& name, int calls, Call call) {
  const auto body = [call](benchmark::State& state) mutable {
    samples taken;
    for (auto _ : state) call(taken);
    taken.report(state);
  };
  return benchmark::RegisterBenchmark(name.c_str(), body)->Iterations(calls);
}

/// Says why something is not measured here.
void add_skipped(const std::string& name, const std::string& reason);

/// This process runs on that processor alone from now on, and so does what it starts; anywhere
/// again with -1. Does nothing where there is only one.
void pin_to(int processor);

/// Runs what was added, as the arguments of Google Benchmark say. The disk is where its results go,
/// or the current directory.
int run(int argc, char** argv);

}  // namespace bench
