# Installs the packages that berth needs; sourced by the scripts that build it. Does nothing twice.
#   need_packages NAME...   installs those Debian packages that are missing
#   build DIRECTORY [MESON OPTIONS]   all, or just what $targets names, of the tree here or $tree

# With ccache installed, every compiler runs through it, explicitly named ones too.
[ ! -d /usr/lib/ccache ] || PATH=/usr/lib/ccache:$PATH

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

# Several sources at once: half the time to build everything.
unity="-Dunity=on -Dunity_size=8"

# Says at each tenth how far ninja is.
show_progress() {
  awk -v name="$1" '
    /^\[[0-9]+\/[0-9]+\]/ {
      split(substr($1, 2), step, "[]/]")
      tenth = int(10 * step[1] / step[2])
      if (tenth > shown) { shown = tenth; if (tenth < 10) print "== " name ": " tenth * 10 " %"; fflush() }
    }'
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
  { ninja -C "$directory" ${targets:-} 2>&1 || echo "failed: $?"; } | tee "$directory/build.log" |
    show_progress "$directory"
  ! grep -q '^failed: ' "$directory/build.log" || {
    grep -v '^\[' "$directory/build.log"
    return 1
  }
}
