#!/usr/bin/env bash
# compose-go v2.16.2 (the reader of Docker Compose): a key alone in the last line of an `env_file`.
#
# A line that holds only a key takes its value from outside, and without one sets nothing. Where it
# is the last line and no line break follows, compose-go sets a variable without a name instead,
# whose value is the key. Where a value in quotes is followed by letters, they are a key of their own.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func main() {
	for _, text := range []string{"A=1\nKEY\n", "A=1\nKEY", "A='x'KEY\n"} {
		read, err := dotenv.ParseWithLookup(strings.NewReader(text), func(key string) (string, bool) {
			return "outside", key == "KEY"
		})
		fmt.Printf("%q: %q %v\n", text, read, err)
	}
}
GO
go mod init finding >go.log 2>&1
go get github.com/compose-spec/compose-go/v2@v2.16.2 >>go.log 2>&1
seen=$(go run . 2>&1 | grep '^"')
printf '%s\n' "$seen"
[[ $seen == '"A=1\nKEY\n": map["A":"1" "KEY":"outside"] <nil>
"A=1\nKEY": map["":"KEY" "A":"1"] <nil>
"A='"'x'"'KEY\n": map["A":"x" "KEY":"outside"] <nil>' ]]
