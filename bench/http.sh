#!/usr/bin/env bash
# Requests a second of pm-server under wrk, beside a libuv server that parses nothing and answers
# always the same; the server on one core, the load on another. usage: http.sh FLOOR PM_SERVER
set -euo pipefail
if ! command -v wrk >/dev/null; then
  echo "skipped: wrk is not installed (apt-get install wrk)"
  exit 0
fi
workspace=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$workspace"' EXIT
taskset -c 0 "$1" >"$workspace/port" &
taskset -c 0 "$2" --config-dir "$workspace" --log-level off 2>/dev/null &
until [ -s "$workspace/port" ] && [ -s "$workspace/server.json" ]; do sleep 0.01; done
floor=http://127.0.0.1:$(cat "$workspace/port")/health
ours=http://127.0.0.1:$(sed -n 's/^  "port": \([0-9]*\),$/\1/p' "$workspace/server.json")/health
rate() { taskset -c 1 wrk -t1 -c64 -d2s "$1" | awk '/Requests\/sec/ { print $2 }'; }
for round in 1 2 3 4 5; do
  rate "$floor" >>"$workspace/floor"
  rate "$ours" >>"$workspace/ours"
done
median() { sort -n "$1" | sed -n 3p; }
echo "GET /health, 64 connections, medians of 5 rounds of 2 s"
echo "libuv, parses nothing   $(median "$workspace/floor") requests/s"
echo "pm-server               $(median "$workspace/ours") requests/s, ratio $(
  awk "BEGIN { printf \"%.2f\", $(median "$workspace/ours") / $(median "$workspace/floor") }")"
