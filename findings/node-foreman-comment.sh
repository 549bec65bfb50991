#!/usr/bin/env bash
# foreman 3.0.1 (npm): an indented comment in a Procfile.
#
# A comment at the beginning of a line is skipped. An indented one makes foreman forget the whole
# file: it warns that it cannot read a property of null, and where a package.json lies beside it
# starts `npm start` instead of the Procfile's processes. Ruby's foreman and honcho skip the line.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit foreman@3.0.1
mkdir app
cd app
cat >run.cjs <<'NODE'
const { loadProc } = require('foreman/lib/procfile');
console.log(JSON.stringify(loadProc('Procfile')));
NODE
export NODE_PATH="$dir/node_modules"
printf '{"scripts":{"start":"node other.js"}}' >package.json
printf '# the site\nweb: node server.js\n' >Procfile
flush=$(node run.cjs 2>&1)
printf '  # the site\nweb: node server.js\n' >Procfile
indented=$(node run.cjs 2>&1)
printf 'flush: %s\nindented: %s\n' "$flush" "$indented"
[[ $flush == '{"web":"node server.js"}' && $indented == *'{"web":"npm start"}'* ]]
