#!/usr/bin/env bash
# Fuzzes the parsers of bytes from outside (port files, configuration, command lines, requests, etcd's
# answers, URLs of registries, arguments of the C interface), by libFuzzer under the address and
# undefined sanitizers, beginning with the corpus in the tree. Two at a time.
#   tests/fuzz.sh [SECONDS [TARGET...]]   for each; 20 seconds and all of them unless told
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
. tests/count.sh

seconds=${1:-20}
shift || true
[ $# -gt 0 ] || set -- record settings arguments http etcd registry plugin c_interface

need_packages $build_packages catch2 clang-19 libclang-rt-19-dev
targets=$(printf 'tests/%s-fuzz ' "$@") CXX=clang++-19 CC=clang-19 \
  build build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
  -Dbenchmarks=disabled $unity

# Writes what it found to build-fuzz/TARGET.log, its exit status to build-fuzz/TARGET.status.
fuzz() {
  found=build-fuzz/corpus/$1
  mkdir -p "$found"
  status=0
  build-fuzz/tests/"$1"-fuzz -max_total_time="$2" -max_len=8192 -close_fd_mask=3 \
    -print_final_stats=1 -artifact_prefix=build-fuzz/"$1"- "$found" tests/fuzz/corpus/"$1" \
    >build-fuzz/"$1".log 2>&1 || status=$?
  echo "$status" >build-fuzz/"$1".status
}
export -f fuzz

say "Fuzzing $* for $seconds s each"
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c "fuzz {} $seconds"
failed=0
passed=0
for target; do
  if [ "$(cat build-fuzz/"$target".status)" -eq 0 ]; then
    say "$target: $(grep -oE '^stat::number_of_executed_units.*' build-fuzz/"$target".log)"
    passed=$((passed + 1))
  else
    say "$target failed"
    tail -n 40 build-fuzz/"$target".log
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed" | tee build-fuzz/count
[ "$failed" -eq 0 ]
