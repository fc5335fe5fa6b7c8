#!/bin/bash
# Start of a notebook instance: puts idle_stop.py under a timer. @SCRIPT@ and @MINUTES@ are filled in at synth.
set -euo pipefail
home="${ML_LENS_HOME:-/opt/ml-lens}"
mkdir -p "$home"
rm -f "$home/last_activity"
base64 --decode >"$home/idle_stop.py" <<'END_OF_SCRIPT'
@SCRIPT@
END_OF_SCRIPT
python=""
for candidate in ${ML_LENS_PYTHON:-/usr/bin/python3 /home/ec2-user/anaconda3/bin/python}; do
    if "$candidate" -c "import boto3" 2>/dev/null; then python="$candidate"; break; fi
done
# Without boto3 the instance would never stop, so it must not start.
if [ -z "$python" ]; then echo "no Python with boto3" >&2; exit 1; fi
systemd-run --unit=ml-lens-idle-stop --on-active=5min --on-unit-active=5min \
    "$python" "$home/idle_stop.py" --minutes @MINUTES@ --state "$home/last_activity"
