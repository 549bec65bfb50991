#!/usr/bin/env bash
# cel-python 0.5.0, cel-js 0.8.2 and @marcbachmann/cel-js 8.0.0: one expression, several values.
#
# The language divides whole numbers to whole numbers, lets `||` outlast an error on one side when the
# other is true, and writes a timestamp with its fraction.
# - cel-js says 3.5 for `7 / 2`, and fails on `1 / 0 == 1 || true`.
# - cel-python drops the fraction in string(timestamp("2026-01-01T00:00:00.500Z")), so two times
#   that differ are the same string.
# @marcbachmann/cel-js says 3 and true to the first two. A condition that two tools evaluate has to be
# tried in both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit cel-js@0.8.2 @marcbachmann/cel-js@8.0.0
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install cel-python==0.5.0
cat >run.mjs <<'NODE'
import { evaluate as plain } from 'cel-js';
import { evaluate as other } from '@marcbachmann/cel-js';
for (const [name, evaluate] of [['cel-js', plain], ['@marcbachmann', other]]) {
  for (const expression of ['7 / 2', '1 / 0 == 1 || true']) {
    let value = 'error';
    try { value = String(evaluate(expression, {})); } catch {}
    console.log(`${name}: ${expression} -> ${value}`);
  }
}
NODE
cat >run.py <<'PYTHON'
import celpy

environment = celpy.Environment()
for expression in "7 / 2", "1 / 0 == 1 || true", 'string(timestamp("2026-01-01T00:00:00.500Z"))':
    try:
        value = environment.program(environment.compile(expression)).evaluate({})
    except celpy.CELEvalError:
        value = "error"
    print(f"cel-python: {expression} -> {value}")
PYTHON
seen=$(node run.mjs; venv/bin/python run.py)
echo "$seen"
[[ $seen == 'cel-js: 7 / 2 -> 3.5
cel-js: 1 / 0 == 1 || true -> error
@marcbachmann: 7 / 2 -> 3
@marcbachmann: 1 / 0 == 1 || true -> true
cel-python: 7 / 2 -> 3
cel-python: 1 / 0 == 1 || true -> True
cel-python: string(timestamp("2026-01-01T00:00:00.500Z")) -> 2026-01-01T00:00:00Z' ]]
