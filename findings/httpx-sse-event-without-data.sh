#!/usr/bin/env bash
# httpx-sse 0.4.3: an event without data is dispatched.
#
# The standard (WHATWG HTML, server-sent events): when the data buffer is empty at the blank line,
# nothing is dispatched; an `id` alone only moves the last event id. httpx-sse hands out a message
# with data "". A log viewer that prints each event shows a blank line for each such keep-alive.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install httpx-sse==0.4.3 httpx==0.28.1
cat >"$dir/events.py" <<'PYTHON'
import httpx, httpx_sse

body = b"id: 7\ndata: x\n\nid: 8\n\nretry: 1000\n\ndata: y\n\n"
answer = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=body)
client = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
with httpx_sse.connect_sse(client, "GET", "http://localhost/") as source:
    print([(event.id, event.data) for event in source.iter_sse()])
PYTHON
seen=$("$dir/venv/bin/python" "$dir/events.py")
echo "$seen"
[[ $seen == "[('7', 'x'), ('8', ''), ('8', ''), ('8', 'y')]" ]]
