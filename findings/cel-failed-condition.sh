#!/usr/bin/env bash
# @bufbuild/cel 0.6.1: a condition that fails is true, and a member that is null is not there.
#
# `run` does not throw when an expression ends in an error: it returns an error object, and in
# JavaScript every object is true. `if (run("1 / 0 == 1"))` takes the branch, and so does a condition
# on a member that the input lacks. `has({"a": null}.a)` is false, where cel-python 0.5.0 says true:
# the language asks whether a map has the key. Only `=== true` holds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @bufbuild/cel@0.6.1
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install cel-python==0.5.0
cat >run.mjs <<'NODE'
import { run } from '@bufbuild/cel';
for (const condition of ['1 / 0 == 1', '{"a": 1}.b == 1', 'has({"a": null}.a)']) {
  let taken = 'thrown';
  try { taken = run(condition, {}) ? 'taken' : 'passed over'; } catch {}
  console.log(`${condition}: ${taken}`);
}
NODE
cat >run.py <<'PYTHON'
import celpy

environment = celpy.Environment()
for condition in '1 / 0 == 1', '{"a": 1}.b == 1', 'has({"a": null}.a)':
    try:
        taken = "taken" if environment.program(environment.compile(condition)).evaluate({}) else "passed over"
    except celpy.CELEvalError:
        taken = "thrown"
    print(f"{condition}: {taken}")
PYTHON
node=$(node run.mjs) python=$(venv/bin/python run.py)
printf '%s\n' '@bufbuild/cel' "$node" cel-python "$python"
[[ $node == '1 / 0 == 1: taken
{"a": 1}.b == 1: taken
has({"a": null}.a): passed over' ]]
[[ $python == '1 / 0 == 1: thrown
{"a": 1}.b == 1: thrown
has({"a": null}.a): taken' ]]
