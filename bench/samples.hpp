// The times of each measured thing. Things that are compared take turns, so that a machine that
// slows down slows all of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace bench {

struct samples {
  std::string name;
  std::string floor;  ///< the name of what it is compared with; empty if nothing
  std::vector<double> microseconds;

  double quantile(double part) {
    std::sort(microseconds.begin(), microseconds.end());
    const auto last = static_cast<double>(microseconds.size() - 1);
    return microseconds[static_cast<std::size_t>(part * last)];
  }
};

class stopwatch {
 public:
  explicit stopwatch(samples& into) : into_(into), begun_(std::chrono::steady_clock::now()) {}
  stopwatch(const stopwatch&) = delete;
  stopwatch& operator=(const stopwatch&) = delete;
  ~stopwatch() {
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - begun_;
    into_.microseconds.push_back(took.count());
  }

 private:
  samples& into_;
  std::chrono::steady_clock::time_point begun_;
};

inline void print_table(const std::string& title, std::vector<samples>& all) {
  fmt::print("\n{}\n{:<64}{:>10}{:>10}{:>10}\n", title, "", "median", "p99", "ratio");
  for (auto& each : all) {
    const auto floor = std::find_if(all.begin(), all.end(),
                                    [&](const samples& other) { return other.name == each.floor; });
    const std::string ratio =
        floor == all.end() ? "" : fmt::format("{:.2f}", each.quantile(0.5) / floor->quantile(0.5));
    fmt::print("{:<64}{:>10.2f}{:>10.2f}{:>10}\n", each.name, each.quantile(0.5),
               each.quantile(0.99), ratio);
  }
}

}  // namespace bench
