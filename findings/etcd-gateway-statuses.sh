#!/usr/bin/env bash
# etcd 3.5.1, JSON gateway: two statuses that say something else than they seem to.
#
# - A put of more than 2 MiB answers 429: the gateway translates the code RESOURCE_EXHAUSTED so. A
#   client that waits on 429 and sends the same again waits for ever.
# - Keeping alive a lease that does not exist answers 200 with the lease's id and no TTL. A client
#   that looks at the status alone believes that it still holds its lock.
set -euo pipefail
source "$(dirname "$0")/parts/etcd.bash"

{ printf '{"key":"%s","value":"' "$(b64 big)"; head -c 2200000 /dev/zero | base64 -w0; printf '"}'; } >"$dir/body"
expect 'two megabytes' '[429]' "$(ask kv/put "@$dir/body")"
answer=$(ask lease/keepalive '{"ID":"12345"}')
expect 'a lease that is not there' '[200]' "$answer"
[[ $answer != *TTL* ]] || { echo 'changed: it has a TTL'; exit 1; }
