#!/usr/bin/env bash
# sseclient-py 1.8.0: an event that is cut off is dispatched, and an id does not last.
#
# The standard (WHATWG HTML, server-sent events): an event that the end of the stream cuts off is
# thrown away, and the last event id stays until another one comes. sseclient-py hands out the half
# event, and shows no id on the events after the one that named it: a client that resumes from the id
# of its last event resumes from nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install sseclient-py==1.8.0
cat >"$dir/events.py" <<'PYTHON'
import sseclient

class Source(list):
    def close(self):
        pass

stream = Source([b"id: 7\ndata: x\n\n", b"data: y\n\n", b"data: cut off\n"])
print([(event.id, event.data) for event in sseclient.SSEClient(stream).events()])
PYTHON
seen=$("$dir/venv/bin/python" "$dir/events.py")
echo "$seen"
[[ $seen == "[('7', 'x'), (None, 'y'), (None, 'cut off')]" ]]
