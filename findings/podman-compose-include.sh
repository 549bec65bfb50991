#!/usr/bin/env bash
# podman-compose 1.6.0: the paths of an included file begin in another folder.
#
# The specification says that relative paths of an included compose file are resolved from that file's
# own folder. podman-compose resolves them from the folder of the including one, so `./data` of
# db/compose.yaml is not db/data. Both folders may well exist: a database starts then on an empty
# folder, and the old data stay where nobody looks. The include may also list a service that stands
# in the including file, which the specification calls a conflict: here the included one wins. A
# stand-in for podman records what it is asked for.
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
mkdir -p "$dir/shop/db/data" "$dir/shop/data"
cat >"$dir/shop/compose.yaml" <<'YAML'
name: shop
include: [db/compose.yaml]
services:
  web: {image: "web:2"}
YAML
cat >"$dir/shop/db/compose.yaml" <<'YAML'
services:
  db: {image: "db:1", volumes: ["./data:/data"]}
  web: {image: "web:1"}
YAML
PATH=$dir:$PATH "$dir/venv/bin/podman-compose" -f "$dir/shop/compose.yaml" up -d >/dev/null 2>&1
mount=$(grep -o -- '-v [^ ]*' "$dir/asked" | sed "s|$dir/||")
image=$(grep -o 'web:.$' "$dir/asked")
echo "db/compose.yaml mounts ./data: $mount; web runs $image"
[[ $mount == '-v shop/data:/data' && $image == web:1 ]]
