#!/usr/bin/env bash
# Flask-Limiter 4.1.1 with the strategy "sliding-window-counter": Retry-After promises one request.
#
# Ten requests in ten seconds are allowed. After ten at the beginning of a window the eleventh is
# refused with Retry-After: 10. Who waits exactly so long gets one request through, and the next is
# refused with Retry-After: 1: the counter of the last window fades slot by slot. With the other two
# strategies all ten are free again. A client that resumes its whole rate after Retry-After provokes
# a refusal with every second request.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install Flask-Limiter==4.1.1
cat >"$dir/wait.py" <<'PYTHON'
import time
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

for strategy in ["moving-window", "sliding-window-counter"]:
    app = Flask(strategy)
    limiter = Limiter(get_remote_address, app=app, headers_enabled=True, strategy=strategy,
                      storage_uri="memory://")
    app.route("/")(limiter.limit("10 per 10 seconds")(lambda: "ok"))
    client = app.test_client()
    time.sleep(10 - time.time() % 10 + 0.2)
    assert all(client.get("/").status_code == 200 for _ in range(10))
    refused = client.get("/")
    wait = int(refused.headers["Retry-After"])
    time.sleep(wait)
    after = [client.get("/").status_code for _ in range(10)]
    print(f"{strategy}: {refused.status_code}, wait {wait}; then {after.count(200)} of 10")
PYTHON
seen=$("$dir/venv/bin/python" -W ignore "$dir/wait.py")
echo "$seen"
[[ $seen == *'moving-window: 429, wait 10; then 10 of 10'* ]]
[[ $seen == *'sliding-window-counter: 429, wait 10; then 1 of 10'* ]]
