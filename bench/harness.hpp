// The common part of the measurements, on top of Google Benchmark: each call is timed separately,
// and a repetition reports the median and the 99th percentile in microseconds. Repetitions of all
// benchmarks are interleaved, so that a machine that slows down slows all of them. bench/report
// reads the output.
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

/// A fresh directory, removed by the destructor.
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

/// A directory on the memory file system, if there is one, or on the disk.
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
  /// The quantile of the times; `part` is between 0 and 1.
  double quantile(double part);
  void report(benchmark::State& state);

 private:
  std::vector<double> microseconds_;
};

/// Measures `calls` calls per repetition.
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

/// The same for a function that takes its own times, `calls` of them per repetition.
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

/// Pins this process, and the processes that it starts from now on, to that processor; -1 lifts the
/// restriction. No-op if there is only one processor.
void pin_to(int processor);

/// Runs the benchmarks that were added, as the arguments of Google Benchmark say. The disk is the
/// one that holds $BENCH_DISK, or else the current directory.
int run(int argc, char** argv);

}  // namespace bench
