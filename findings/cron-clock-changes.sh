#!/usr/bin/env bash
# croniter 7.0.0, cronsim 2.8, robfig/cron 3.0.1, gronx 1.20.4: days on which the clock changes.
#
# In Berlin 02:30 does not exist on 29 March 2026 and exists twice on 25 October. "30 2 * * *" runs at
# 03:00 in spring for croniter and cronsim, and on that day not at all for robfig/cron and gronx. In
# autumn cronsim and gronx run it once, croniter and robfig/cron twice. "*/30 * * * *" has a hole in
# gronx: after 01:40 on that Sunday it is next due at the second 02:00, eighty minutes later,
# and the first 02:00 and 02:30 are left out. A window by local time needs its own rule for these two
# nights, and a job must bear to run twice.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install croniter==7.0.0 cronsim==2.8 tzdata==2026.6
cat >due.py <<'PYTHON'
from datetime import datetime, timezone
from itertools import islice
from zoneinfo import ZoneInfo
from croniter import croniter
from cronsim import CronSim

zone = ZoneInfo("Europe/Berlin")
for name, expression, start in [
    ("spring", "30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=zone)),
    ("autumn", "30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=zone)),
    ("half-hours", "*/30 * * * *", datetime(2026, 10, 25, 1, 40, tzinfo=zone)),
]:
    for reader, due in ("croniter", croniter(expression, start).all_next(datetime)), ("cronsim", CronSim(expression, start)):
        print(name, reader, *(t.astimezone(timezone.utc).strftime("%dT%H:%M") for t in islice(due, 2)))
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
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	for _, c := range [][3]string{
		{"spring", "30 2 * * *", "2026-03-28 12:00"},
		{"autumn", "30 2 * * *", "2026-10-24 12:00"},
		{"half-hours", "*/30 * * * *", "2026-10-25 01:40"},
	} {
		start, _ := time.ParseInLocation("2006-01-02 15:04", c[2], zone)
		schedule, _ := cron.ParseStandard(c[1])
		first := schedule.Next(start)
		fmt.Println(c[0], "robfig", first.UTC().Format("02T15:04"), schedule.Next(first).UTC().Format("02T15:04"))
		first, _ = gronx.NextTickAfter(c[1], start, false)
		second, _ := gronx.NextTickAfter(c[1], first, false)
		fmt.Println(c[0], "gronx", first.UTC().Format("02T15:04"), second.UTC().Format("02T15:04"))
	}
}
GO
printf 'module seen\n\ngo 1.24\n\nrequire (\n\tgithub.com/adhocore/gronx v1.20.4\n\tgithub.com/robfig/cron/v3 v3.0.1\n)\n' >go.mod
seen=$( (venv/bin/python due.py && go run -mod=mod . 2>/dev/null) | LC_ALL=C sort)
echo "in UTC:"
echo "$seen"
[[ $seen == 'autumn croniter 25T00:30 25T01:30
autumn cronsim 25T00:30 26T01:30
autumn gronx 25T01:30 26T01:30
autumn robfig 25T00:30 25T01:30
half-hours croniter 25T00:00 25T00:30
half-hours cronsim 25T00:00 25T00:30
half-hours gronx 25T01:00 25T01:30
half-hours robfig 25T00:00 25T00:30
spring croniter 29T01:00 30T00:30
spring cronsim 29T01:00 30T00:30
spring gronx 30T00:30 31T00:30
spring robfig 30T00:30 31T00:30' ]]
