#!/usr/bin/env bash
# Builds and runs each project of this directory against an installed berth and nothing else of it.
#   run.sh            sets up everything, builds berth and installs it into ./build-embed/prefix first
#   run.sh PREFIX     against what is installed there
# Ends with a line "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/examples/setup.sh"

if [ $# -eq 0 ]; then
  cd "$top"
  need_packages $build_packages gcc make cmake python3 nodejs libasio-dev binutils util-linux
  build build-embed/berth --prefix "$top/build-embed/prefix" --buildtype=release \
    -Dtests=disabled -Dbenchmarks=disabled
  meson install -C build-embed/berth --no-rebuild >/dev/null
  prefix=$top/build-embed/prefix
else
  prefix=$(cd "$1" && pwd)
fi

libraries=$(dirname "$(find "$prefix" -name libberth-c.so.1 -print -quit)")
export PKG_CONFIG_PATH=$libraries/pkgconfig CMAKE_PREFIX_PATH=$prefix PATH=$prefix/bin:$PATH
unset LD_LIBRARY_PATH PM_CONFIG_DIR PM_SERVER_PORT PM_SERVER_HOST HELLO_CONFIG_DIR HELLO_SERVER_PORT HELLO_SERVER_HOST
work=$(mktemp -d)
trap 'cd /; kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export HOME=$work

passed=0
failed=0
try() { # WHAT FUNCTION: in a fresh directory of its own, with all its output if it fails
  mkdir "$work/$2"
  # Not in the condition: there nothing but its last command could fail it.
  set +e
  (
    set -eu
    cd "$work/$2"
    "$2"
  ) >"$work/log" 2>&1
  local status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    say "$1: passed"
  else
    failed=$((failed + 1))
    sed 's/^/  /' "$work/log"
    say "$1: FAILED"
  fi
}
# The first word is what a failing test prints.
same() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'"; return 1; }; }
until_true() { # COMMAND...: within ten seconds
  for _ in $(seq 200); do
    ! "$@" || return 0
    read -r -t 0.05 <> <(:) || true
  done
  echo "did not come true: $*"
  return 1
}
greeting() { # URL: what a server says
  local address=${1#tcp://}
  exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
  cat <&3
  exec 3>&-
}
hello=$work/by_cmake/build/hello

by_cmake() {
  cmake -S "$here/cmake" -B build
  cmake --build build
  build/hello &
  same "$(greeting "$(berth --app hello wait --timeout 10)")" hello
  same "$(build/hello-client)" "$(berth --app hello url)"
  berth --app hello stop
  wait
  same "$(build/hello-client || echo $?)" 3
}
by_cmake_statically() {
  cmake -S "$here/cmake" -B build -DHELLO_STATIC=ON -DCMAKE_BUILD_TYPE=Release
  cmake --build build
  if ldd build/hello | grep libberth; then return 1; fi
  build/hello &
  same "$(greeting "$(berth --app hello wait --timeout 10)")" hello
  berth --app hello stop
  wait
}
by_meson() {
  cp -r "$here/meson" .
  meson setup build meson --wrap-mode=nofallback
  meson compile -C build
  url=$(build/hello-ensure "$hello")
  same "$(build/hello-ensure false)" "$url" # the same one: nothing is started
  same "$(greeting "$url")" hello
  berth --app hello stop
}
in_c() {
  cp "$here"/c/* .
  make
  ./hello-c &
  same "$(greeting "$(berth --app hello wait --timeout 10)")" hello
  wait
  same "$(berth --app hello url || echo $?)" 3
}
in_python() {
  # Where berth is installed in the system's own directories, the variable is not needed.
  LD_LIBRARY_PATH=$libraries python3 "$here/python/client.py" "$hello" >first
  LD_LIBRARY_PATH=$libraries python3 "$here/python/client.py" false >second
  same "$(cat second)" "$(cat first)"
  same "$(cat first)" "$(berth --app hello url) version 1.0.0"
  berth --app hello stop
  if LD_LIBRARY_PATH=$libraries python3 "$here/python/client.py" false 2>complaint; then return 1; fi
  grep 'status 7' complaint
}
in_shell() {
  same "$(sh "$here/shell/client.sh" "$hello")" "hello listens at $(berth --app hello url)
and there is no other"
  berth --app hello stop
  same "$(sh "$here/shell/client.sh" false 2>/dev/null || echo $?)" 1
}
in_node() {
  node "$here/node/client.mjs" >seen &
  until_true grep -qx none seen
  "$hello" &
  url=$(berth --app hello wait --timeout 10)
  until_true grep -qxF "$url" seen
  berth --app hello stop
  until_true sh -c 'tail -n 1 seen | grep -qx none'
  kill %1
}
on_asio() {
  cmake -S "$here/asio" -B build
  cmake --build build
  build/hello-asio &
  url=$(berth --app hello wait --timeout 10)
  same "$(build/hello-asio find)" "$url says hello"
  same "$(build/hello-asio 2>&1 | grep -c 'already running')" 1
  rm .hello/server.json
  until_true test -e .hello/server.json
  same "$(berth --app hello url)" "$url"
  kill %1
  wait
  same "$(build/hello-asio find || echo $?)" 3
}
a_plugin() {
  cc -shared -fPIC -o stamp.so "$prefix/share/berth/examples/stamp.c" $(pkg-config --cflags berth-c)
  c++ -std=c++20 -O1 -shared -fPIC -fvisibility=hidden -Wl,--exclude-libs,ALL -o greeter.so \
    "$prefix/share/berth/examples/greeter.cpp" $(pkg-config --cflags berth) \
    "$libraries/libberth.a" "$libraries/libberth-discovery.a" \
    $(pkg-config --libs simdjson fmt libuv tomlplusplus) -Wl,-z,defs
  "$hello" --plugin ./stamp.so=team=blue --plugin ./greeter.so &
  berth --app hello wait --timeout 10
  same "$(berth --app hello status | grep -c 'team = blue')" 1
  same "$(greeting "$(berth --app hello url --endpoint greeter)")" hello
  berth --app hello stop
  wait
}
none_is_found() { [ "$(berth url 2>/dev/null || echo $?)" = 3 ]; }
# What the Dockerfile runs, in namespaces of its own: another root of processes, another mount.
in_a_container() {
  mkdir -p .pm workspace
  unshare $1 --pid --mount --ipc --uts --fork --kill-child sh -c '
    mount --bind .pm workspace && PM_CONFIG_DIR=$PWD/workspace exec pm-server --log-level off' &
  url=$(berth wait --timeout 10)
  same "$(curl --silent --noproxy '*' "$url/health" | head -c 1)" "{"
  same "$(berth status | grep -o 'verdict *alive' | wc -l)" 1
  # Of another kernel's lock nothing is known from here: unknown, which is live, and nobody's to remove.
  cp .pm/server.json seen
  kill -9 %1
  wait || true
  until_true none_is_found
  same "$(ls .pm/server.json 2>/dev/null || echo gone)" gone
  sed 's/"\(host_id\|boot_id\)": "./&0/' seen >.pm/server.json
  chmod 600 .pm/server.json
  same "$(berth url)" "$url"
  same "$(berth status | grep -o 'verdict *unknown' | wc -l)" 1
  berth clean
  test -e .pm/server.json
}
as_root_in_a_container() { in_a_container ""; }
as_a_user_in_a_container() { in_a_container "--user --map-root-user"; }

try "C++ by CMake" by_cmake
try "C++ by CMake, statically" by_cmake_statically
try "C++ by Meson" by_meson
try "C by make and pkg-config" in_c
try "Python by ctypes" in_python
try "shell" in_shell
try "Node" in_node
try "Asio" on_asio
try "plugins from the installed sources" a_plugin
if unshare --pid --mount --fork true 2>/dev/null; then
  try "a container" as_root_in_a_container
elif unshare --user --map-root-user --pid --mount --fork true 2>/dev/null; then
  try "a container" as_a_user_in_a_container
else
  say "a container: not run, this system lets no namespaces be made"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
