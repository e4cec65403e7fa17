#!/usr/bin/env bash
# Builds berth for Windows by mingw-w64, with all it needs from source packages, and runs its tests
# there by wine. Ends with a line "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
. tests/count.sh

need_packages $build_packages catch2 python3 dpkg-dev g++-mingw-w64-x86-64-posix wine64
bash tests/fetch_sources.sh

tools=$PWD/build-windows-tools
mkdir -p "$tools"
cat >"$tools/wine" <<END
#!/bin/sh
export WINEDEBUG=-all WINEPREFIX="\${WINEPREFIX:-$tools/prefix}"
exec /usr/lib/wine/wine64 "\$@"
END
chmod +x "$tools/wine"
cat >"$tools/mingw.ini" <<END
[binaries]
c = 'x86_64-w64-mingw32-gcc-posix'
cpp = 'x86_64-w64-mingw32-g++-posix'
ar = 'x86_64-w64-mingw32-ar'
strip = 'x86_64-w64-mingw32-strip'
exe_wrapper = '$tools/wine'
[built-in options]
c_link_args = ['-static']
cpp_link_args = ['-static']
[host_machine]
system = 'windows'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
END

# Without debug information, with which the linker takes minutes.
build build-windows --cross-file "$tools/mingw.ini" -Dbenchmarks=disabled -Ddebug=false $unity
say "Testing build-windows"
[ -d "$tools/prefix" ] || "$tools/wine" cmd /c exit >/dev/null 2>&1
status=0
meson test -C build-windows --no-rebuild --print-errorlogs || status=$?
count_tests build-windows
exit "$status"
