#!/usr/bin/env bash
# Sets up everything, builds, and runs the tests. Ends with a line "N passed, M failed".
#   --soak   the tests of ownership at their full counts, which takes some minutes more
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
. tests/count.sh

need_packages $build_packages catch2 python3 python3-prometheus-client libsystemd-dev etcd-server procps bsdutils
need_packages make cmake nodejs libasio-dev groff-base fish zsh python3-jsonschema
soak=false
[ "${1:-}" != --soak ] || soak=true
[ ! -f build/build.ninja ] || meson configure build -Dsoak=$soak >/dev/null
build build -Dsoak=$soak $unity
say "Testing"
status=0
meson test -C build --no-rebuild --print-errorlogs || status=$?
count_tests build
exit "$status"
