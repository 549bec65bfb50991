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
source "$(dirname "$0")/parts/etcd.bash"

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
