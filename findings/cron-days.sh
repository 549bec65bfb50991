#!/usr/bin/env bash
# croniter 7.0.0, cronsim 2.8, robfig/cron 3.0.1, gronx 1.20.4: two days in one cron expression.
#
# When a day of the month and a weekday are both given, cron runs on either. Whether */2 counts as
# given is where readers part. From Friday, 30 January 2026, "0 0 */2 * 1" is next due on Saturday the
# 31st for croniter and robfig/cron, since any odd day will do, and on Monday, 9 February, for cronsim
# and gronx, since both must fit, as in Debian's cron. "0 0 */1 * 1" moves robfig/cron to the other
# side: a step of one is a star to it, a step of two is not, and croniter then runs every day. A window
# for deployments must not be written with both days in an expression that another tool reads.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install croniter==7.0.0 cronsim==2.8
cat >due.py <<'PYTHON'
from datetime import datetime
from croniter import croniter
from cronsim import CronSim

start = datetime(2026, 1, 30, 12)
for expression in ["0 0 */2 * 1", "0 0 */1 * 1"]:
    print(expression, "croniter", croniter(expression, start).get_next(datetime).strftime("%m-%d"))
    print(expression, "cronsim", next(CronSim(expression, start)).strftime("%m-%d"))
PYTHON
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/adhocore/gronx"
	"github.com/robfig/cron/v3"
)

func main() {
	start := time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)
	for _, expression := range []string{"0 0 */2 * 1", "0 0 */1 * 1"} {
		schedule, err := cron.ParseStandard(expression)
		if err != nil {
			panic(err)
		}
		fmt.Println(expression, "robfig", schedule.Next(start).Format("01-02"))
		next, err := gronx.NextTickAfter(expression, start, false)
		if err != nil {
			panic(err)
		}
		fmt.Println(expression, "gronx", next.Format("01-02"))
	}
}
GO
printf 'module seen\n\ngo 1.24\n\nrequire (\n\tgithub.com/adhocore/gronx v1.20.4\n\tgithub.com/robfig/cron/v3 v3.0.1\n)\n' >go.mod
seen=$( (venv/bin/python due.py && go run -mod=mod . 2>/dev/null) | sort)
echo "$seen"
[[ $seen == '0 0 */1 * 1 croniter 01-31
0 0 */1 * 1 cronsim 02-02
0 0 */1 * 1 gronx 02-02
0 0 */1 * 1 robfig 02-02
0 0 */2 * 1 croniter 01-31
0 0 */2 * 1 cronsim 02-09
0 0 */2 * 1 gronx 02-09
0 0 */2 * 1 robfig 01-31' ]]
