#!/usr/bin/env bash
# evanphx/json-patch 5.9.11, which much around Kubernetes patches with: merge patches and tests of values.
#
# - RFC 7396 puts an array of a merge patch in place as it is. Here members that are null are taken out
#   of the objects in it: {"a":[{"b":null}]} stores {"a":[{}]}. json-merge-patch 0.3.0 for Python keeps
#   the null. A server and a client that predicts its answer so differ for ever.
# - RFC 6902 says that numbers are equal when their values are. `test` of 1 with 1.0 fails here; so
#   does 100 with 1e2. jsonpatch 1.48 for Python passes both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install json-merge-patch==0.3.0 jsonpatch==1.48
cat >patch.py <<'PYTHON'
import json, json_merge_patch, jsonpatch

print(json.dumps(json_merge_patch.merge({}, {"a": [{"b": None}]}), separators=(",", ":")))
for stored, value in (1, 1.0), (100, 1e2):
    try:
        jsonpatch.apply_patch({"a": stored}, [{"op": "test", "path": "/a", "value": value}])
        print("equal")
    except jsonpatch.JsonPatchTestFailed:
        print("unequal")
PYTHON
cat >main.go <<'GO'
package main

import (
	"fmt"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

func main() {
	merged, err := jsonpatch.MergePatch([]byte(`{}`), []byte(`{"a":[{"b":null}]}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(merged))
	for _, pair := range [][2]string{{"1", "1.0"}, {"100", "1e2"}} {
		patch, err := jsonpatch.DecodePatch([]byte(`[{"op":"test","path":"/a","value":` + pair[1] + `}]`))
		if err != nil {
			panic(err)
		}
		if _, err = patch.Apply([]byte(`{"a":` + pair[0] + `}`)); err != nil {
			fmt.Println("unequal")
		} else {
			fmt.Println("equal")
		}
	}
}
GO
printf 'module seen\n\ngo 1.24\n\nrequire github.com/evanphx/json-patch/v5 v5.9.11\n' >go.mod
python=$(venv/bin/python patch.py | tr '\n' ' ')
go=$(go run -mod=mod . 2>/dev/null | tr '\n' ' ')
printf 'Python: %s\nGo:     %s\n' "$python" "$go"
[[ $python == '{"a":[{"b":null}]} equal equal ' && $go == '{"a":[{}]} unequal unequal ' ]]
