#!/usr/bin/env bash
# podman-compose 1.6.0: what stands under `!override` is not interpolated.
#
# A second file replaces the ports, the command or the environment of the first with the tag
# `!override`, and uses ${TAG} and ${PORT} there as everywhere else. They reach podman as they are
# written; the same words without the tag are replaced. A tag or a password in an overriding list so
# becomes its own placeholder. A stand-in for podman records what it is asked for.
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
  web: {image: "web:1", ports: ["80:80"]}
YAML
cat >"$dir/merged.yaml" <<'YAML'
services:
  web: {ports: ["${PORT}:80"]}
YAML
sed 's/ports: /ports: !override /' "$dir/merged.yaml" >"$dir/replaced.yaml"
ports() {
    rm -f "$dir/asked"
    PORT=8080 PATH=$dir:$PATH "$dir/venv/bin/podman-compose" -f "$dir/compose.yaml" -f "$dir/$1" up -d >/dev/null 2>&1
    grep -o -- '-p [^ ]*' "$dir/asked" | tr '\n' ' '
}
merged=$(ports merged.yaml) replaced=$(ports replaced.yaml)
printf 'merged:   %s\nreplaced: %s\n' "$merged" "$replaced"
# shellcheck disable=SC2016 # the placeholder is what podman was given
[[ $merged == '-p 80:80 -p 8080:80 ' && $replaced == '-p ${PORT}:80 ' ]]
