#!/usr/bin/env bash
# compose-go 2.16.2, the reader of Docker Compose, and podman-compose 1.6.0: one env_file, two readings.
#
# Compose replaces variables inside an env_file, and looks in the environment of who starts it before
# it looks in the lines above. With HOST set there too, a file that says HOST=db and
# URL=http://$HOST/ gives the container HOST=db and a URL with the other host. $$ is one dollar.
# podman-compose replaces ${HOST} but not $HOST, and leaves both dollars, so a password with dollars
# fits one of the two only; single quotes are the form that both leave alone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q --disable-pip-version-check install podman-compose==1.6.0 python-dotenv==1.2.4
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
  web: {image: "web:1", env_file: app.env}
YAML
cat >"$dir/app.env" <<'ENV'
HOST=db
URL=http://$HOST/
PASS=a$$b
SAFE='a$$b'
ENV
export HOST=other
PATH=$dir:$PATH "$dir/venv/bin/podman-compose" -f "$dir/compose.yaml" up -d >/dev/null 2>&1
podman=$(grep -oE -- '-e [A-Z]+=[^ ]*' "$dir/asked" | cut -d' ' -f2 | sort | tr '\n' ' ')
mkdir "$dir/go"
cd "$dir/go"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, _ := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv)
	project, err := options.LoadProject(context.Background())
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"HOST", "PASS", "SAFE", "URL"} {
		fmt.Printf("%s=%s ", name, *project.Services["web"].Environment[name])
	}
}
GO
printf 'module seen\n\ngo 1.24\n\nrequire github.com/compose-spec/compose-go/v2 v2.16.2\n' >go.mod
docker=$(go run -mod=mod . "$dir/compose.yaml" 2>/dev/null)
printf 'compose-go:     %s\npodman-compose: %s\n' "$docker" "$podman"
# shellcheck disable=SC2016 # dollars are what is looked at
[[ $docker == 'HOST=db PASS=a$b SAFE=a$$b URL=http://other/ ' ]]
# shellcheck disable=SC2016
[[ $podman == 'HOST=db PASS=a$$b SAFE=a$$b URL=http://$HOST/ ' ]]
