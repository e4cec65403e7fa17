#!/usr/bin/env bash
# Fuzzes what reads port files, configuration and command lines, by libFuzzer under the address and
# undefined sanitizers, beginning with the corpus in the tree.
#   tests/fuzz.sh [SECONDS]   for each of the three; 20 unless told
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
. tests/count.sh

need_packages $build_packages catch2 clang-19 libclang-rt-19-dev
targets="tests/record-fuzz tests/settings-fuzz tests/arguments-fuzz" CXX=clang++-19 CC=clang-19 \
  build build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
  -Dbenchmarks=disabled
failed=0
passed=0
for target in record settings arguments; do
  found=build-fuzz/corpus/$target
  mkdir -p "$found"
  say "Fuzzing $target for ${1:-20} s"
  if build-fuzz/tests/$target-fuzz -max_total_time="${1:-20}" -max_len=8192 -close_fd_mask=3 \
    -print_final_stats=1 -artifact_prefix=build-fuzz/$target- "$found" tests/fuzz/corpus/$target \
    >build-fuzz/$target.log 2>&1; then
    grep -E '^stat::number_of_executed_units' build-fuzz/$target.log
    passed=$((passed + 1))
  else
    tail -n 40 build-fuzz/$target.log
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed" | tee build-fuzz/count
[ "$failed" -eq 0 ]
