#!/usr/bin/env bash
# Checks formatting (clang-format), spelling (codespell) and the framework's code
# (clang-tidy), each by a fixed version. Ends with a line "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh

need_packages $build_packages clang-19 clang-format-19 clang-tidy-19 codespell
mkdir -p build-tidy/meson-logs
passed=0
failed=0
check() { # NAME COMMAND...
  begun=$SECONDS
  if "${@:2}" >build-tidy/check.log 2>&1; then
    passed=$((passed + 1))
    say "$1: nothing to complain about, after $((SECONDS - begun)) s"
  else
    failed=$((failed + 1))
    say "$1 complains"
    grep -v 'warnings generated' build-tidy/check.log
  fi
}
sources() { find framework examples bench tests \( -name '*.[ch]pp' -o -name '*.[ch]' \) -print0; }

format() { sources | xargs -0 clang-format-19 --dry-run --Werror; }
# Several sources at once, which parses the headers once.
tidy() {
  [ -f build-tidy/build.ninja ] ||
    CXX=clang++-19 CC=clang-19 meson setup build-tidy $unity \
      -Dtests=disabled -Dexamples=disabled -Dbenchmarks=disabled
  find build-tidy/framework -name '*unity*.cpp' -print0 |
    xargs -0 -P 2 -n 1 clang-tidy-19 -p build-tidy --quiet
}
check clang-format format
check codespell codespell framework examples bench tests README.md
check clang-tidy tidy
echo "$passed passed, $failed failed" | tee build-tidy/meson-logs/testlog.txt
[ "$failed" -eq 0 ]
