#!/usr/bin/env bash
# sops 3.10.2: what is decrypted is not what was encrypted.
#
# Values are read as numbers and dates before they are encrypted, and written anew afterwards. In JSON
# every number passes through a double, so 9007199254740993 comes back as ...992. In YAML 0123 comes
# back as 83, 1.10 as 1.1 and a date as a timestamp. Nothing warns, and the MAC holds, since it is
# computed from the values after they were read. Identifiers and PINs in a secret need quotes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
GOBIN=$dir go install github.com/getsops/sops/v3/cmd/sops@v3.10.2 2>/dev/null
GOBIN=$dir go install filippo.io/age/cmd/age-keygen@v1.2.1 2>/dev/null
"$dir/age-keygen" -o "$dir/key" 2>/dev/null
export SOPS_AGE_KEY_FILE=$dir/key
cat >"$dir/a.json" <<'JSON'
{"account": 9007199254740993}
JSON
cat >"$dir/a.yaml" <<'YAML'
pin: 0123
version: 1.10
since: 2024-01-02
quoted: "0123"
YAML
for kind in json yaml; do
    "$dir/sops" -e --age "$("$dir/age-keygen" -y "$dir/key")" "$dir/a.$kind" >"$dir/secret.$kind"
    "$dir/sops" -d "$dir/secret.$kind"
done >"$dir/seen"
seen=$(tr -s '\t\n ' ' ' <"$dir/seen")
echo "$seen"
[[ $seen == *'"account": 9007199254740992 '* ]]
[[ $seen == *'pin: 83 version: 1.1 since: 2024-01-02T00:00:00Z quoted: "0123" '* ]]
