#!/usr/bin/env bash
# slowapi 0.1.10 (with limits underneath): X-RateLimit-Reset is a fraction, and a second late.
#
# The header of the first request of a window of five seconds says a time six seconds ahead, as
# seconds since 1970 with a fraction ("1795983922.9427135"). A parser of whole seconds reads nothing;
# one that obeys it waits a second in vain, and the window has opened meanwhile.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install slowapi==0.1.10 fastapi==0.115.6 httpx==0.28.1
cat >"$dir/reset.py" <<'PYTHON'
import time
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.testclient import TestClient
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = limiter = Limiter(key_func=get_remote_address, headers_enabled=True)
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)

@app.get("/")
@limiter.limit("1 per 5 seconds")
def index(request: Request, response: Response):
    return {}

client = TestClient(app)
began = time.time()
said = client.get("/").headers["X-RateLimit-Reset"]
while client.get("/").status_code == 429:
    time.sleep(0.05)
opened = time.time()
print(f"said {said}, {float(said) - began:.1f} s ahead; opened after {opened - began:.1f} s")
is_fraction, is_late = "." in said, float(said) - opened > 0.5
print(f"fraction {is_fraction}, late {is_late}")
PYTHON
seen=$("$dir/venv/bin/python" -W ignore "$dir/reset.py")
echo "$seen"
[[ $seen == *'fraction True, late True' ]]
