# Sets up what berth needs; sourced by the scripts that build it. Does nothing twice.
#   need_packages NAME...   installs those Debian packages that are missing
#   build DIRECTORY [MESON OPTIONS]   all, or just what $targets names, of the tree here or $tree

say() { printf '== %s\n' "$*"; }

build_packages="g++ meson ninja-build pkg-config libuv1-dev libsimdjson-dev libfmt-dev
  libtomlplusplus-dev libcli11-dev libhttp-parser-dev libcurl4-openssl-dev curl"

need_packages() {
  command -v dpkg-query >/dev/null || {
    say "This is no Debian system: see that it has what these packages hold: $*"
    return 0
  }
  missing=
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  [ "$(id -u)" -eq 0 ] || as_root=sudo
  say "Installing$missing"
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

build() {
  directory=$1
  shift
  if [ ! -f "$directory/build.ninja" ]; then
    say "Configuring $directory"
    meson setup "$directory" "${tree:-.}" "$@" >/dev/null || {
      meson setup "$directory" "${tree:-.}" "$@"
      return 1
    }
  fi
  say "Building $directory"
  ninja -C "$directory" ${targets:-} >"$directory/build.log" 2>&1 || {
    grep -v '^\[' "$directory/build.log"
    return 1
  }
}
