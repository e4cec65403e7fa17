#!/usr/bin/env bash
# Prepares subprojects/ so that the wraps build without a network of their own: fetches Debian's source
# packages of the same versions. Where such an archive is, byte for byte, the release that the wrap names,
# it goes into subprojects/packagecache; otherwise its files go into the subproject's directory. Leaves
# the machine's package lists as they are, and does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/../subprojects"

value_of() { sed -n "s/^$2 = //p" "$1"; }
package_of() { sed -n 's/^# Debian.s source package.*: //p' "$1"; }

# A library of headers alone comes from its installed package.
if [ ! -d tomlplusplus-3.3.0 ]; then
  mkdir -p tomlplusplus-3.3.0/include
  cp -r /usr/include/toml++ tomlplusplus-3.3.0/include/
  cp packagefiles/tomlplusplus/* tomlplusplus-3.3.0/
fi

missing=()
for wrap in *.wrap; do
  [ -d "$(value_of "$wrap" directory)" ] || [ -f "packagecache/$(value_of "$wrap" source_filename)" ] ||
    missing+=("$wrap")
done
[ ${#missing[@]} -gt 0 ] || exit 0
packages=$(for wrap in "${missing[@]}"; do package_of "$wrap"; done)
echo "== Fetching the sources of" $packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" packagecache
sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$work/sources/debian.sources"
options="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$work/sources
  -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
apt-get $options update -qq
(cd "$work" && apt-get $options source -qq --download-only $packages >/dev/null)
for wrap in "${missing[@]}"; do
  archive=$(echo "$work/$(package_of "$wrap")"_*.orig.tar.*)
  if echo "$(value_of "$wrap" source_hash)  $archive" | sha256sum --check --status; then
    cp "$archive" "packagecache/$(value_of "$wrap" source_filename)"
    continue
  fi
  echo "== $wrap: Debian's archive is not the release itself; its files are used"
  directory=$(value_of "$wrap" directory)
  mkdir "$directory.part"
  tar -xf "$archive" -C "$directory.part" --strip-components=1
  cp packagefiles/"$(value_of "$wrap" patch_directory)"/* "$directory.part/"
  mv "$directory.part" "$directory"
done
