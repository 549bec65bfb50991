#!/usr/bin/env bash
# sops 3.10.2: `exec-env` hands out a .env file with its quotes.
#
# A decrypted .env file is the file that was encrypted, byte by byte, and a shell that sources it gets
# the values without their quotes. `sops exec-env` gives the program the same values with the quotes,
# and with a trailing comment. The one escape that it does know, \n, it replaces also where single
# quotes forbid it. So a password works from the file and fails from `exec-env`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
GOBIN=$dir go install github.com/getsops/sops/v3/cmd/sops@v3.10.2 2>/dev/null
GOBIN=$dir go install filippo.io/age/cmd/age-keygen@v1.2.1 2>/dev/null
"$dir/age-keygen" -o "$dir/key" 2>/dev/null
export SOPS_AGE_KEY_FILE=$dir/key
cat >"$dir/app.env" <<'ENV'
PASSWORD="two words"
MODE=fast # for now
PATTERN='a\nb'
ENV
"$dir/sops" -e --age "$("$dir/age-keygen" -y "$dir/key")" "$dir/app.env" >"$dir/secret.env"
# shellcheck disable=SC2016 # the variables are those of the inner shell
show='printf "%s|" "$PASSWORD" "$MODE" "$PATTERN"'
sourced=$("$dir/sops" -d "$dir/secret.env" >"$dir/plain.env" && bash -c ". '$dir/plain.env'; $show")
given=$("$dir/sops" exec-env "$dir/secret.env" "$show")
printf 'sourced:  %s\nexec-env: %s\n' "$sourced" "$given"
cmp "$dir/app.env" "$dir/plain.env"
[[ $sourced == 'two words|fast|a\nb|' && $given == $'"two words"|fast # for now|\'a\nb\'|' ]]
