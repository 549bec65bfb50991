#!/usr/bin/env bash
# etcd 3.5.1, JSON gateway: bytes in the URL-safe alphabet of base64 are refused.
#
# The JSON mapping of protocol buffers says that readers accept both alphabets. The gateway answers
# 400 "illegal base64 data" to "_-8=", and reads "/+8=", which is the same bytes.
set -euo pipefail
source "$(dirname "$0")/parts/etcd.bash"

expect 'URL-safe' '[400]' "$(ask kv/range '{"key":"_-8="}')"
expect 'standard' '[200]' "$(ask kv/range '{"key":"/+8="}')"
