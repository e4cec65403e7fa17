#!/bin/sh
# Talks to hello, started if nobody had. usage: client.sh PROGRAM [ARGUMENT...]
set -eu

url=$(berth --app hello ensure --timeout 10 -- "$@") || {
  status=$? # 5: it did not come in time; 1: it could not be started, as the message has said
  exit "$status"
}
echo "hello listens at $url"

if ! berth --app hello --instance other url 2>/dev/null; then
  echo "and there is no other"
fi
