#!/usr/bin/env bash
# Sets up everything, builds, and shows a service being started, found, used and gone.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh

need_packages $build_packages
build build-examples $unity -Dtests=disabled -Dbenchmarks=disabled
PATH=$PWD/build-examples/framework:$PWD/build-examples/examples:$PATH

workspace=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$workspace"' EXIT
cd "$workspace"
unset PM_CONFIG_DIR PM_SERVER_PORT PM_SERVER_HOST

say "Starting pm-server in $workspace, on a port that the system picks"
pm-server &
server=$!
berth wait --timeout 10 >/dev/null

say "It published itself: .pm/server.json"
cat .pm/server.json

say "It is found, from a directory below too: berth url"
mkdir -p src/deep
(cd src/deep && berth url)

say "It answers: curl \"\$(berth url)/health\""
curl --silent --show-error --fail --noproxy '*' "$(berth url)/health"
echo

say "Its own client finds it the same way: pm-cli project list --pretty"
pm-cli project list --pretty

say "A second one in the same place is refused"
pm-server && exit 1 || echo "exit status $?"

say "It stops, and takes its file with it: berth stop"
berth stop
wait "$server" && echo "pm-server exited with status 0"
server=
if [ -e .pm/server.json ]; then exit 1; fi
ls -A .pm

say "The client says so now"
pm-cli project list && exit 1 || status=$?
echo "exit status $status"
[ "$status" -eq 3 ]
say "Done"
