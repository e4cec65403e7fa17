#!/usr/bin/env bash
# Sets up everything, builds, and runs the tests. Ends with a line "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
. tests/count.sh

need_packages $build_packages catch2 python3
build build
say "Testing"
status=0
meson test -C build --no-rebuild --print-errorlogs || status=$?
count_tests build
exit "$status"
