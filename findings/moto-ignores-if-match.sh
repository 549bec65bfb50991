#!/usr/bin/env bash
# moto 5.1.0 and 5.2.5, the S3 server for tests: conditional puts.
#
# Version 5.1.0 honours If-None-Match: * (the second put answers 412) and ignores If-Match: a put
# with an ETag that is no longer the object's is stored, and so is one for a key that does not
# exist. Version 5.2.5 answers 412 and 404. A store that passes a probe of "create if absent" may
# still not know "replace if unchanged": the two need a probe each.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install 'moto[s3,server]==5.1.0'
cat >"$dir/puts.py" <<'PYTHON'
import sys
import boto3, botocore
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", aws_access_key_id="x",
                  aws_secret_access_key="y", region_name="us-east-1")
s3.create_bucket(Bucket="bucket")

def put(key, **condition):
    try:
        s3.put_object(Bucket="bucket", Key=key, Body=b"x" + key.encode() + str(condition).encode(), **condition)
        return 200
    except botocore.exceptions.ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

first, second = put("a", IfNoneMatch="*"), put("a", IfNoneMatch="*")
etag = s3.head_object(Bucket="bucket", Key="a")["ETag"]
right, stale, absent = put("a", IfMatch=etag), put("a", IfMatch=etag), put("never", IfMatch=etag)
print(f"absent {first}, present {second}; unchanged {right}, changed {stale}, never there {absent}")
server.stop()
PYTHON
run() { "$dir/venv/bin/python" "$dir/puts.py" 2>/dev/null; }
old=$(run)
"$dir/venv/bin/pip" -q --disable-pip-version-check install 'moto[s3,server]==5.2.5'
new=$(run)
printf '5.1.0: %s\n5.2.5: %s\n' "$old" "$new"
[[ $old == 'absent 200, present 412; unchanged 200, changed 200, never there 200' ]]
[[ $new == 'absent 200, present 412; unchanged 200, changed 412, never there 404' ]]
