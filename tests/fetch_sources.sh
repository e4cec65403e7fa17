#!/usr/bin/env bash
# Fetches the source archives that the wraps in subprojects/ build from, by Debian's source
# packages: for a system, or a cross build, that has no packages of them. Leaves the machine's own
# package lists as they are, and does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/../subprojects"
missing=
for wrap in *.wrap; do
  archive=$(sed -n 's/^source_filename = //p' "$wrap")
  [ -f "packagefiles/$archive" ] || missing="$missing $(sed -n 's/.*apt-get source \([a-z0-9-]*\).*/\1/p' "$wrap")"
done
[ -n "$missing" ] || exit 0
echo "== Fetching the sources of$missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$work/sources/debian.sources"
options="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$work/sources
  -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
apt-get $options update -qq
(cd "$work" && apt-get $options source -qq --download-only $missing >/dev/null)
cp "$work"/*.orig.tar.* packagefiles/
