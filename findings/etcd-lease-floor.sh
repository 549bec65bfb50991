#!/usr/bin/env bash
# etcd 3.5.1: a lease is never granted for less than two seconds with the default election timeout.
#
# A lease that asks for one second, or for none, is granted with "TTL":"2", and no error. The floor
# follows the cluster's election timeout, so a failover that was timed against a test server with
# other settings takes longer elsewhere. The answer's TTL is the one to count with.
set -euo pipefail
source "$(dirname "$0")/parts/etcd.bash"

expect 'one second' '"TTL":"2"' "$(ask lease/grant '{"TTL":"1"}')"
expect 'none' '"TTL":"2"' "$(ask lease/grant '{"TTL":"0"}')"
expect 'five' '"TTL":"5"' "$(ask lease/grant '{"TTL":"5"}')"
