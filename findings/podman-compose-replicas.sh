#!/usr/bin/env bash
# podman-compose 1.6.0: replicas without a mode are one.
#
# The specification of compose files says that the mode of a deployment is `replicated` when none is
# given. podman-compose counts `deploy.replicas` only where the mode is spelt out; without it one
# container is started, and nothing is said. A stand-in for podman records what it is asked for.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install podman-compose==1.6.0
cat >"$dir/podman" <<'SH'
#!/bin/sh
case $1 in
--version) echo podman version 5.4.0 ;;
ps) echo '[]' ;;
create) echo "$@" >>"${0%/*}/asked" ;;
esac
SH
chmod +x "$dir/podman"
cat >"$dir/compose.yaml" <<'YAML'
name: shop
services:
  plain: {image: "web:1", deploy: {replicas: 3}}
  spelt: {image: "web:1", deploy: {replicas: 3, mode: replicated}}
YAML
PATH=$dir:$PATH "$dir/venv/bin/podman-compose" -f "$dir/compose.yaml" up -d >/dev/null 2>&1
plain=$(grep -c 'name=shop_plain_' "$dir/asked")
spelt=$(grep -c 'name=shop_spelt_' "$dir/asked")
echo "three replicas: $plain without a mode, $spelt with it"
[[ $plain == 1 && $spelt == 3 ]]
