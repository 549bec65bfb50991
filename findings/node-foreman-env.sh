#!/usr/bin/env bash
# foreman 3.0.1 (npm): two readings of a .env file.
#
# - `export KEY=value`, which shells and most readers of .env files take, sets a variable whose name
#   is "export KEY".
# - A file that parses as JSON is read as JSON, nested keys joined with underscores and in capitals:
#   {"db":{"host":"a"},"ports":[1]} sets DB_HOST and PORTS_0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit foreman@3.0.1
printf 'export KEY=value\n' >shell.env
printf '{"db":{"host":"a"},"ports":[1]}' >json.env
cat >read.cjs <<'NODE'
const { loadEnvs } = require('foreman/lib/envs');
for (const file of ['shell.env', 'json.env']) {
  const { PATH, ...read } = loadEnvs(file);
  console.log(file, JSON.stringify(read));
}
NODE
seen=$(node read.cjs | grep -v OKAY)
echo "$seen"
[[ $seen == *'shell.env {"export KEY":"value"}'* && $seen == *'json.env {"DB_HOST":"a","PORTS_0":1}'* ]]
