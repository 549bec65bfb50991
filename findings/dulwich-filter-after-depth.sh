#!/usr/bin/env bash
# dulwich 1.2.21, git's protocol in Python, as a server over HTTP (Klaus and others are built on it).
#
# It advertises `shallow` and `filter`. A client that asks for one of them is served; one that asks
# for both is answered with 500, because the `filter` line stands where the server expects the end of
# the shallow request. Git sends it there, after `deepen`. A partial and shallow fetch, the cheapest
# way to read one commit, so fails as if the host were down: a client has to ask again without the
# filter before it believes that.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null && wait "$server" || true; rm -rf "$dir"' EXIT
export HOME=$dir GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a.test \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a.test
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install dulwich==1.2.21
git init -q -b main "$dir/shop"
echo one >"$dir/shop/web.yaml"
git -C "$dir/shop" add web.yaml
git -C "$dir/shop" commit -qm one
cat >"$dir/serve.py" <<'PYTHON'
import sys
from wsgiref.simple_server import make_server
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

app = make_wsgi_chain(DictBackend({"/shop.git": Repo(sys.argv[1])}))
server = make_server("127.0.0.1", 0, app)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
"$dir/venv/bin/python" "$dir/serve.py" "$dir/shop" >"$dir/port" 2>"$dir/log" &
server=$!
until [[ -s $dir/port ]]; do sleep 0.1; done
url=http://127.0.0.1:$(<"$dir/port")/shop.git
advertised=$(curl -s "$url/info/refs?service=git-upload-pack" | tr '\0 ' '\n\n' | grep -cxE 'shallow|filter')

try() {
    rm -rf "$dir/copy"
    git init -q --bare "$dir/copy"
    if git -C "$dir/copy" fetch "$@" "$url" main >/dev/null 2>"$dir/said"; then
        echo served
    else
        grep -o 'HTTP 500' "$dir/said"
    fi
}
shallow=$(try --depth=1)
partial=$(try --filter=blob:none)
both=$(try --depth=1 --filter=blob:none)
reason=$(grep -o 'UnexpectedCommandError.*' "$dir/log" | tail -n 1)
echo "advertised of two: $advertised; shallow: $shallow; partial: $partial; both: $both"
echo "$reason"
[[ $advertised == 2 && $shallow == served && $partial == served && $both == 'HTTP 500' ]]
[[ $reason == *'unexpected command filter' ]]
