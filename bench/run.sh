#!/usr/bin/env bash
# Sets up everything, builds, measures what discovery costs here beside all that it can be compared
# with, and writes build-bench/results/{report.md,*.svg,*.json}. Some two minutes; --long takes ten.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh

need_packages $build_packages libbenchmark-dev python3-matplotlib jupyter-server redis-server \
  libhiredis-dev etcd-server dbus libdbus-1-dev erlang-base libavahi-client-dev
repetitions=7
[ "${1:-}" != --long ] || repetitions=40
build build-bench -Dtests=disabled --buildtype=release
results=build-bench/results
mkdir -p "$results"
measure() { # NAME PROGRAM ARGUMENTS...
  say "Measuring: $1"
  "${@:2}" --benchmark_repetitions=$repetitions --benchmark_enable_random_interleaving=true \
    --benchmark_out="$results/$1.json" --benchmark_out_format=json
}
measure discovery build-bench/bench/discovery-bench
measure processes build-bench/bench/process-bench build-bench/framework/berth \
  build-bench/examples/pm-server build-bench/bench/reader bench/lookup.py \
  build-bench/framework/install/libberth-c.so.1
bench/report --charts "$results" "$results/discovery.json" "$results/processes.json" |
  tee "$results/report.md"
